package io.penstock.cache.mount.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.Fd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** {@link Backing} by this process itself. Thread-safe. The session must have been initialised. */
public final class DirectBacking implements Backing {
    private final Fd device;

    public DirectBacking(Fd device) {
        this.device = device;
    }

    @Override
    public int register(Fd file) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment map = arena.allocate(16, 8);
            map.set(JAVA_INT, 0, file.number());
            return device.ioctl(Wire.BACKING_OPEN, map);
        }
    }

    @Override
    public void unregister(int id) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            device.ioctl(Wire.BACKING_CLOSE, arena.allocateFrom(JAVA_INT, id));
        }
    }
}
