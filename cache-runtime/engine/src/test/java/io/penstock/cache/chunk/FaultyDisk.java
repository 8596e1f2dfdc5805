package io.penstock.cache.chunk;

import io.penstock.cache.linux.ErrnoException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** The real disk, on which some calls fail. */
final class FaultyDisk implements Disk {
    /** Says with which error number a call fails; 0 for none. */
    interface Fault {
        int errno(String call, Path path);
    }

    private final LinuxDisk disk = new LinuxDisk();
    private final AtomicInteger injected = new AtomicInteger();
    private volatile Fault fault = (call, path) -> 0;

    void fault(Fault next) {
        fault = next;
    }

    int injected() {
        return injected.get();
    }

    private void check(String call, Path path) throws IOException {
        int errno = fault.errno(call, path);
        if (errno != 0) {
            injected.incrementAndGet();
            throw new ErrnoException(call + " " + path.getFileName() + " (injected)", errno);
        }
    }

    @Override
    public DiskFile open(Path path, boolean create) throws IOException {
        check(create ? "create" : "open", path);
        return new FaultyFile(path, disk.open(path, create));
    }

    @Override
    public void delete(Path path) throws IOException {
        check("delete", path);
        disk.delete(path);
    }

    @Override
    public List<String> list(Path directory) throws IOException {
        check("list", directory);
        return disk.list(directory);
    }

    @Override
    public long free(Path directory) throws IOException {
        return disk.free(directory);
    }

    @Override
    public void syncDirectory(Path directory) throws IOException {
        check("sync", directory);
        disk.syncDirectory(directory);
    }

    private final class FaultyFile implements DiskFile {
        private final Path path;
        private final DiskFile file;

        FaultyFile(Path path, DiskFile file) {
            this.path = path;
            this.file = file;
        }

        @Override
        public long read(MemorySegment into, long offset) throws IOException {
            check("read", path);
            return file.read(into, offset);
        }

        @Override
        public void write(MemorySegment from, long offset) throws IOException {
            check("write", path);
            file.write(from, offset);
        }

        @Override
        public void writeChunk(MemorySegment from, long offset, boolean direct) throws IOException {
            check("write", path);
            file.writeChunk(from, offset, direct);
        }

        @Override
        public void startWriteBack(long offset, long length) throws IOException {
            file.startWriteBack(offset, length);
        }

        @Override
        public void sync() throws IOException {
            check("sync", path);
            file.sync();
        }

        @Override
        public void truncate(long size) throws IOException {
            check("truncate", path);
            file.truncate(size);
        }

        @Override
        public void close() {
            file.close();
        }
    }
}
