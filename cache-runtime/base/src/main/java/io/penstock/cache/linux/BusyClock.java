package io.penstock.cache.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * Time in which the thread that made this clock ran or was ready to run. What is missing to the time on the wall it spent
 * waiting for something else than a processor, such as a disk. Only for that thread.
 */
public final class BusyClock implements AutoCloseable {
    private static final int MOST = 96;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment text = arena.allocate(MOST);
    private final Fd fd;

    /** @throws ErrnoException when the kernel does not keep this account */
    public BusyClock() throws ErrnoException {
        try {
            fd = Fd.open(Path.of("/proc/thread-self/schedstat"), Fd.O_RDONLY, 0);
        } catch (ErrnoException e) {
            arena.close();
            throw e;
        }
    }

    /** Nanoseconds since the thread began. */
    public long nanos() throws ErrnoException {
        long length = fd.pread(text, 0);
        long sum = 0;
        long number = 0;
        int fields = 0;
        for (long i = 0; i < length && fields < 2; i++) {
            byte c = text.get(JAVA_BYTE, i);
            if (c >= '0' && c <= '9') {
                number = number * 10 + (c - '0');
            } else {
                sum += number;
                number = 0;
                fields++;
            }
        }
        return sum;
    }

    @Override
    public void close() {
        fd.close();
        arena.close();
    }
}
