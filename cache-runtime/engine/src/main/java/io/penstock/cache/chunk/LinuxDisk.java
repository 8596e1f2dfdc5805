package io.penstock.cache.chunk;

import io.penstock.cache.linux.Fd;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;

/** The file systems of this machine. */
final class LinuxDisk implements Disk {
    private static final int FILE_MODE = 0640;

    @Override
    public DiskFile open(Path path, boolean create) throws IOException {
        int flags = Fd.O_RDWR | Fd.O_NOFOLLOW | (create ? Fd.O_CREAT | Fd.O_TRUNC : 0);
        return new LinuxFile(Fd.open(path, flags, FILE_MODE));
    }

    @Override
    public void delete(Path path) throws IOException {
        Files.deleteIfExists(path);
    }

    @Override
    public List<String> list(Path directory) throws IOException {
        String[] names = directory.toFile().list();
        if (names == null) {
            throw new NotDirectoryException(directory.toString());
        }
        return List.of(names);
    }

    @Override
    public long free(Path directory) {
        return directory.toFile().getUsableSpace();
    }

    @Override
    public void syncDirectory(Path directory) throws IOException {
        try (Fd fd = Fd.open(directory, Fd.O_RDONLY | Fd.O_DIRECTORY, 0)) {
            fd.fdatasync();
        }
    }

    private record LinuxFile(Fd fd) implements DiskFile {
        @Override
        public long read(MemorySegment into, long offset) throws IOException {
            return fd.preadFully(into, offset);
        }

        @Override
        public void write(MemorySegment from, long offset) throws IOException {
            fd.pwriteFully(from, offset);
        }

        @Override
        public void startWriteBack(long offset, long length) throws IOException {
            fd.syncFileRange(offset, length, Fd.SYNC_FILE_RANGE_WRITE);
        }

        @Override
        public void sync() throws IOException {
            fd.fdatasync();
        }

        @Override
        public void truncate(long size) throws IOException {
            fd.truncate(size);
        }

        @Override
        public void close() {
            fd.close();
        }
    }
}
