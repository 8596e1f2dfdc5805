package io.penstock.csi.volume;

import io.penstock.cache.linux.MountTree;
import io.penstock.cache.model.PenstockException;
import java.util.List;
import java.util.Set;

/** What {@code mountOptions} may say. A volume is read-only and knows neither set-uid nor devices, whatever they say. */
public final class MountFlags {
    public static final long ALWAYS = MountTree.READ_ONLY | MountTree.NO_SUID | MountTree.NO_DEVICES;
    private static final String NO_EXECUTION = "noexec";
    private static final Set<String> WITHOUT_EFFECT =
            Set.of("ro", "nosuid", "nodev", "noatime", "nodiratime", "relatime");

    private MountFlags() {}

    public static long of(List<String> options) throws PenstockException {
        long flags = ALWAYS;
        for (String option : options) {
            if (option.equals(NO_EXECUTION)) {
                flags |= MountTree.NO_EXECUTION;
            } else if (!WITHOUT_EFFECT.contains(option)) {
                throw Refusals.unknown(
                        "mount option", option, "ro, nosuid, nodev, noexec, noatime, nodiratime, relatime");
            }
        }
        return flags;
    }
}
