package io.penstock.cache.chunk;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.model.ErrorCode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;

/** One process owns a directory. The kernel lets the lock go when that process ends, however it ends. */
final class DirectoryLock implements AutoCloseable {
    private static final String NAME = "lock";

    private final Fd fd;

    private DirectoryLock(Fd fd) {
        this.fd = fd;
    }

    /** @throws StoreException with {@code CACHE_IN_USE}, naming the process that holds it */
    static DirectoryLock take(Path directory) throws IOException {
        Path file = directory.resolve(NAME);
        Fd fd = Fd.open(file, Fd.O_RDWR | Fd.O_CREAT | Fd.O_NOFOLLOW, 0640);
        try (Arena arena = Arena.ofConfined()) {
            fd.flock(Fd.LOCK_EX | Fd.LOCK_NB);
            byte[] pid = (ProcessHandle.current().pid() + "\n").getBytes(US_ASCII);
            fd.truncate(0);
            fd.pwriteFully(arena.allocateFrom(java.lang.foreign.ValueLayout.JAVA_BYTE, pid), 0);
            return new DirectoryLock(fd);
        } catch (ErrnoException e) {
            fd.close();
            if (e.errno() != Errno.EAGAIN) {
                throw e;
            }
            String holder = Files.readString(file).strip();
            throw new StoreException(
                    ErrorCode.CACHE_IN_USE,
                    "cache directory " + directory + " is used by process " + (holder.isEmpty() ? "?" : holder),
                    "stop that process, or give this one another cache directory",
                    e);
        }
    }

    @Override
    public void close() {
        fd.close();
    }
}
