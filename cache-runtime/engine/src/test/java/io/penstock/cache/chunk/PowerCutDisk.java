package io.penstock.cache.chunk;

import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.ErrnoException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A real directory, of which it is known what would be left after a power cut: each sector that was not synced may be old
 * or new; names are made and removed in order, as by a journal, and may stop at any point after the last sync of the
 * directory.
 */
final class PowerCutDisk implements Disk {
    private static final int SECTOR = 512;

    private final LinuxDisk disk = new LinuxDisk();
    private final Map<String, Image> durableNames = new HashMap<>();
    private final Map<String, Image> names = new HashMap<>();
    private final List<NameChange> changes = new ArrayList<>();
    private boolean off;

    private record NameChange(String name, Image image) {}

    /** A file's content on the platter, and what was written since the last sync. */
    private static final class Image {
        private byte[] durable = new byte[0];
        private final List<Write> pending = new ArrayList<>();

        /** New bytes, or without them a new size. */
        private static final class Write {
            private final long offset;
            private final byte[] bytes;
            private final long size;

            Write(long offset, byte[] bytes, long size) {
                this.offset = offset;
                this.bytes = bytes;
                this.size = size;
            }
        }

        void apply(Write write, boolean[] sectors) {
            if (write.bytes == null) {
                durable = Arrays.copyOf(durable, (int) write.size);
                return;
            }
            int end = (int) write.offset + write.bytes.length;
            for (int at = (int) write.offset; at < end; ) {
                int stop = Math.min(end, (at / SECTOR + 1) * SECTOR);
                if (sectors[at / SECTOR]) {
                    durable = durable.length < stop ? Arrays.copyOf(durable, stop) : durable;
                    System.arraycopy(write.bytes, at - (int) write.offset, durable, at, stop - at);
                }
                at = stop;
            }
        }

        void applyAll() {
            for (Write write : pending) {
                boolean[] all = new boolean[sectorsOf(write)];
                Arrays.fill(all, true);
                apply(write, all);
            }
            pending.clear();
        }

        void applySome(Random random, double share) {
            for (Write write : pending) {
                boolean[] some = new boolean[sectorsOf(write)];
                for (int i = 0; i < some.length; i++) {
                    some[i] = random.nextDouble() < share;
                }
                if (write.bytes != null || random.nextDouble() < share) {
                    apply(write, some);
                }
            }
            pending.clear();
        }

        private static int sectorsOf(Write write) {
            return write.bytes == null ? 0 : (int) (write.offset + write.bytes.length + SECTOR - 1) / SECTOR;
        }
    }

    /** Cuts the power: every call fails from now on. What is left goes to {@code target}. */
    synchronized void cut(Path target, Random random) throws IOException {
        off = true;
        double share = switch (random.nextInt(4)) {
            case 0 -> 0;
            case 1 -> 1;
            default -> random.nextDouble();
        };
        int kept = random.nextInt(changes.size() + 1);
        for (NameChange change : changes.subList(0, kept)) {
            if (change.image == null) {
                durableNames.remove(change.name);
            } else {
                durableNames.put(change.name, change.image);
            }
        }
        Files.createDirectories(target);
        for (Map.Entry<String, Image> entry : durableNames.entrySet()) {
            entry.getValue().applySome(random, share);
            Files.write(target.resolve(entry.getKey()), entry.getValue().durable);
        }
    }

    private void ensureOn() throws IOException {
        if (off) {
            throw new ErrnoException("power", Errno.EIO);
        }
    }

    @Override
    public synchronized DiskFile open(Path path, boolean create) throws IOException {
        ensureOn();
        DiskFile file = disk.open(path, create);
        String name = path.getFileName().toString();
        if (create && names.get(name) == null) {
            Image image = new Image();
            names.put(name, image);
            changes.add(new NameChange(name, image));
        } else if (create) {
            names.get(name).pending.add(new Image.Write(0, null, 0));
        }
        return new CutFile(file, names.get(name));
    }

    @Override
    public synchronized void delete(Path path) throws IOException {
        ensureOn();
        disk.delete(path);
        String name = path.getFileName().toString();
        if (names.remove(name) != null) {
            changes.add(new NameChange(name, null));
        }
    }

    @Override
    public List<String> list(Path directory) throws IOException {
        return disk.list(directory);
    }

    @Override
    public long free(Path directory) throws IOException {
        return disk.free(directory);
    }

    @Override
    public synchronized void syncDirectory(Path directory) throws IOException {
        ensureOn();
        durableNames.clear();
        durableNames.putAll(names);
        changes.clear();
    }

    private final class CutFile implements DiskFile {
        private final DiskFile file;
        private final Image image;

        CutFile(DiskFile file, Image image) {
            this.file = file;
            this.image = image;
        }

        @Override
        public long read(MemorySegment into, long offset) throws IOException {
            return file.read(into, offset);
        }

        @Override
        public void write(MemorySegment from, long offset) throws IOException {
            synchronized (PowerCutDisk.this) {
                ensureOn();
                file.write(from, offset);
                image.pending.add(new Image.Write(offset, from.toArray(ValueLayout.JAVA_BYTE), 0));
            }
        }

        @Override
        public void writeChunk(MemorySegment from, long offset, boolean direct) throws IOException {
            write(from, offset);
        }

        @Override
        public void startWriteBack(long offset, long length) {}

        @Override
        public void sync() throws IOException {
            synchronized (PowerCutDisk.this) {
                ensureOn();
                image.applyAll();
            }
        }

        @Override
        public void truncate(long size) throws IOException {
            synchronized (PowerCutDisk.this) {
                ensureOn();
                file.truncate(size);
                image.pending.add(new Image.Write(0, null, size));
            }
        }

        @Override
        public void close() {
            file.close();
        }
    }
}
