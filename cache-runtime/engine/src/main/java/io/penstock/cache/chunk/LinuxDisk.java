package io.penstock.cache.chunk;

import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.Fd;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;

/** The file systems of this machine. */
final class LinuxDisk implements Disk {
    private static final int FILE_MODE = 0640;

    @Override
    public DiskFile open(Path path, boolean create) throws IOException {
        int flags = Fd.O_NOFOLLOW | (create ? Fd.O_CREAT | Fd.O_TRUNC : 0);
        try {
            return new LinuxFile(path, Fd.open(path, Fd.O_RDWR | flags, FILE_MODE), false);
        } catch (ErrnoException e) {
            if (create || e.errno() != Errno.EROFS) {
                throw e;
            }
            return new LinuxFile(path, Fd.open(path, Fd.O_RDONLY | flags, 0), true);
        }
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
    public long free(Path directory) throws IOException {
        long bytes = directory.toFile().getUsableSpace();
        if (bytes == 0 && !Files.isDirectory(directory)) {
            throw new NoSuchFileException(directory.toString(), null, "the directory is gone");
        }
        return bytes;
    }

    @Override
    public void syncDirectory(Path directory) throws IOException {
        try (Fd fd = Fd.open(directory, Fd.O_RDONLY | Fd.O_DIRECTORY, 0)) {
            fd.fdatasync();
        }
    }

    private static final class LinuxFile implements DiskFile {
        private static final int ALIGNMENT = 4096;

        private final Path path;
        private final Fd fd;
        private final boolean readOnly;
        private volatile Fd direct;
        private volatile boolean noDirect;

        LinuxFile(Path path, Fd fd, boolean readOnly) {
            this.path = path;
            this.fd = fd;
            this.readOnly = readOnly;
        }

        @Override
        public long read(MemorySegment into, long offset) throws IOException {
            return fd.preadFully(into, offset);
        }

        @Override
        public void write(MemorySegment from, long offset) throws IOException {
            if (readOnly) {
                throw new ErrnoException("pwrite", Errno.EROFS);
            }
            fd.pwriteFully(from, offset);
        }

        @Override
        public void writeChunk(MemorySegment from, long offset, boolean wantDirect) throws IOException {
            long whole = from.byteSize() / ALIGNMENT * ALIGNMENT;
            if (!wantDirect || readOnly || noDirect || whole == 0 || (from.address() | offset) % ALIGNMENT != 0) {
                write(from, offset);
                return;
            }
            try {
                directFd().pwriteFully(from.asSlice(0, whole), offset);
            } catch (ErrnoException e) {
                if (e.errno() != Errno.EINVAL) {
                    throw e;
                }
                noDirect = true; // this file system cannot, or not with this alignment
                fd.pwriteFully(from, offset);
                return;
            }
            if (whole < from.byteSize()) {
                fd.pwriteFully(from.asSlice(whole), offset + whole);
            }
        }

        private Fd directFd() throws ErrnoException {
            Fd open = direct;
            return open != null ? open : openDirect();
        }

        private synchronized Fd openDirect() throws ErrnoException {
            if (direct == null) {
                direct = Fd.open(path, Fd.O_WRONLY | Fd.O_DIRECT | Fd.O_NOFOLLOW, 0);
                fd.advise(0, 0, Fd.POSIX_FADV_RANDOM); // no read-ahead of holes that are about to be written
            }
            return direct;
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
        public synchronized void close() {
            fd.close();
            if (direct != null) {
                direct.close();
            }
        }
    }
}
