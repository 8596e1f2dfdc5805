package io.penstock.cache.read;

import java.util.Collection;
import java.util.Iterator;

/**
 * Fetches what is still missing of files that were streamed, when nothing else is to be done: chunks that a slow disk
 * made us drop, or that readers skipped. Only a complete file is an ordinary file.
 */
final class Completer implements ChunkFeed {
    private static final long PAUSE = 2_000_000_000L;

    private final MountReader mount;
    private final Collection<MountedFile> files;
    private Iterator<MountedFile> walk;
    private MountedFile file;
    private int chunk;
    private long notBefore = Long.MIN_VALUE;

    Completer(MountReader mount, Collection<MountedFile> files) {
        this.mount = mount;
        this.files = files;
    }

    @Override
    public Flight next(long now) {
        if (mount.engine().storeFails()
                || mount.engine().storeBusy()
                || mount.readAhead().active(now)) {
            notBefore = now + PAUSE;
            return null;
        }
        if (walk == null) {
            walk = files.iterator();
        }
        while (true) {
            if (file == null || chunk >= file.chunks() || !file.streaming() || file.complete()) {
                if (!walk.hasNext()) {
                    walk = null;
                    file = null;
                    notBefore = now + PAUSE;
                    return null;
                }
                file = walk.next();
                chunk = 0;
                continue;
            }
            ObjectState object = file.background();
            if (object == null || object.failure(now, mount) != null) {
                notBefore = now + PAUSE;
                return null;
            }
            while (chunk < file.chunks()) {
                Flight flight = mount.claim(object, chunk++);
                if (flight != null) {
                    return flight;
                }
            }
        }
    }

    @Override
    public long remaining() {
        return Long.MAX_VALUE;
    }

    @Override
    public long notBefore(long now) {
        return notBefore;
    }
}
