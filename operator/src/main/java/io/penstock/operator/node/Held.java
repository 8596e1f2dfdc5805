package io.penstock.operator.node;

import io.penstock.cache.control.v1.SnapshotInfo;

/**
 * What a node holds of one snapshot.
 *
 * @param bytes of the whole snapshot
 * @param hereBytes stored and verified
 * @param mounted whether a volume shows it
 */
public record Held(long bytes, long hereBytes, boolean mounted) {
    static final Held NOTHING = new Held(0, 0, false);

    static Held of(SnapshotInfo info) {
        return new Held(info.getBytes(), info.getHereBytes(), info.getMounted());
    }

    public boolean complete() {
        return bytes > 0 && hereBytes >= bytes;
    }

    /** Whether somebody who last saw {@code before} should look again: a hundredth more or less, or another phase. */
    boolean differs(Held before) {
        return mounted != before.mounted
                || complete() != before.complete()
                || (hereBytes > 0) != (before.hereBytes > 0)
                || Math.abs(hereBytes - before.hereBytes) * 100 >= Math.max(1, bytes);
    }
}
