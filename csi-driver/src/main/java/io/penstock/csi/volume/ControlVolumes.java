package io.penstock.csi.volume;

import io.penstock.cache.control.StateDirectory;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.csi.mount.Targets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/**
 * Volumes that hold the daemon's socket for guests. What is bound is the socket's directory, so that pods find the socket of
 * the daemon that comes after this one too.
 */
final class ControlVolumes {
    private final StateDirectory state;
    private final Targets targets;
    private final Shelf shelf;

    ControlVolumes(StateDirectory state, Targets targets, Shelf shelf) {
        this.state = state;
        this.targets = targets;
        this.shelf = shelf;
    }

    void show(VolumeSpec spec) throws IOException {
        if (!Files.exists(state.guestSocket(), LinkOption.NOFOLLOW_LINKS)) {
            throw new PenstockException(
                    ErrorCode.NO_DAEMON,
                    "the daemon of this node has no socket for pods",
                    "control.guests must be true for it, and its version not older than the driver's.",
                    true,
                    null);
        }
        boolean shown = false;
        try {
            shelf.put(new VolumeRecord(spec, "", "", 0, 0, false));
            targets.release(spec.target());
            Path guest = state.path().relativize(state.guest());
            targets.bind(state.path(), guest, spec.target(), spec.flags());
            shown = true;
        } finally {
            if (!shown) {
                shelf.remove(spec.target());
            }
        }
    }
}
