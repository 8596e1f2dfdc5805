package io.penstock.bench.demo;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Comparator;
import java.util.List;

/** Reads a model as a simple mount does today: when a byte is wanted it is asked for, on one connection, and kept nowhere. */
final class OnDemandReader {
    /** What one request asks for: a generous read-ahead window. */
    static final int WINDOW = 8 << 20;

    private OnDemandReader() {}

    static void read(Model model, SignedConnection origin, String prefix, Run.Recorder recorder) throws IOException {
        for (Model.ModelFile file : model.files()) {
            long begin = System.nanoTime();
            List<Model.Part> parts = file.parts().stream()
                    .sorted(Comparator.comparingLong(Model.Part::offset))
                    .toList();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment bytes = arena.allocate(file.size(), 1);
                int next = 0;
                for (long at = 0; at < file.size(); at += WINDOW) {
                    long length = Math.min(WINDOW, file.size() - at);
                    origin.get(
                            prefix + file.name(), at, bytes.asSlice(at, length).asByteBuffer());
                    recorder.arrived(System.nanoTime());
                    next = check(file, parts, next, bytes.asSlice(0, at + length), recorder);
                }
            }
            if (file.shard()) {
                recorder.span(file.name(), begin, System.nanoTime());
            }
        }
        recorder.ended(System.nanoTime());
    }

    /** Checks the parts from {@code next} on that are whole in {@code bytes}; returns the first that is not. */
    private static int check(
            Model.ModelFile file, List<Model.Part> parts, int next, MemorySegment bytes, Run.Recorder recorder)
            throws IOException {
        int i = next;
        for (; i < parts.size(); i++) {
            Model.Part part = parts.get(i);
            if (part.offset() + part.length() > bytes.byteSize()) {
                break;
            }
            if (Model.crc32(bytes.asSlice(part.offset(), part.length())) != part.crc32()) {
                throw new IOException("wrong bytes: " + part.name() + " in " + file.name());
            }
            recorder.verified(file.shard(), part.length(), System.nanoTime());
        }
        return i;
    }
}
