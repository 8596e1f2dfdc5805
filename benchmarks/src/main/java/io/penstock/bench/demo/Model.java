package io.penstock.bench.demo;

import io.penstock.bench.checkpoint.Checkpoint;
import io.penstock.bench.checkpoint.CheckpointWriter;
import io.penstock.bench.checkpoint.TensorDigest;
import io.penstock.bench.checkpoint.Tensors;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/**
 * The model that all runs read, and what its bytes must be.
 *
 * @param name last part of its location
 * @param description for people
 * @param files in the order in which an engine reads them: small ones, then shards
 */
record Model(String name, String description, List<ModelFile> files) {

    /**
     * One file.
     *
     * @param parts what is checked: the tensors of a shard in name order, or the whole file
     */
    record ModelFile(String name, long size, boolean shard, List<Part> parts) {
        ModelFile {
            parts = List.copyOf(parts);
        }
    }

    /** A range of a file and the CRC-32 of its bytes. */
    record Part(String name, long offset, long length, long crc32) {}

    Model {
        files = List.copyOf(files);
    }

    long bytes() {
        return files.stream().mapToLong(ModelFile::size).sum();
    }

    int tensors() {
        return files.stream()
                .filter(ModelFile::shard)
                .mapToInt(f -> f.parts().size())
                .sum();
    }

    /** Writes a synthetic checkpoint into {@code directory}. */
    static Model synthetic(Checkpoint checkpoint, Path directory) throws IOException {
        Map<String, TensorDigest> digests = CheckpointWriter.write(checkpoint, directory);
        Files.delete(CheckpointWriter.digestFile(directory));
        Map<String, Long> crcs = new HashMap<>();
        digests.forEach((tensor, digest) -> crcs.put(tensor, digest.crc32()));
        String description = "synthetic, layout of " + checkpoint.layout().id() + ", seed " + checkpoint.seed();
        return of(directory, description, crcs);
    }

    /** Copies the files of {@code from} into {@code directory} and takes their digests. */
    static Model copyOf(Path from, Path directory) throws IOException {
        Files.createDirectories(directory);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, directory.resolve(file.getFileName()));
            }
        }
        return of(directory, "copy of " + from, Map.of());
    }

    private static Model of(Path directory, String description, Map<String, Long> known) throws IOException {
        List<ModelFile> files = new ArrayList<>();
        try (Stream<Path> paths = Files.list(directory)) {
            for (Path path : paths.sorted().toList()) {
                files.add(file(path, known));
            }
        }
        files.sort(Comparator.comparing(ModelFile::shard).thenComparing(ModelFile::name));
        return new Model(directory.getFileName().toString(), description, files);
    }

    private static ModelFile file(Path path, Map<String, Long> known) throws IOException {
        String name = path.getFileName().toString();
        long size = Files.size(path);
        boolean shard = name.endsWith(".safetensors");
        List<Part> parts = new ArrayList<>();
        try (Arena arena = Arena.ofConfined();
                FileChannel channel = FileChannel.open(path)) {
            MemorySegment bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
            if (shard) {
                for (var t : Tensors.of(path)) {
                    Long crc = known.get(t.name());
                    parts.add(new Part(
                            t.name(),
                            t.offset(),
                            t.length(),
                            crc != null ? crc : crc32(bytes.asSlice(t.offset(), t.length()))));
                }
            } else {
                parts.add(new Part(name, 0, size, crc32(bytes)));
            }
        }
        return new ModelFile(name, size, shard, parts);
    }

    static long crc32(MemorySegment bytes) {
        CRC32 crc = new CRC32();
        for (long at = 0; at < bytes.byteSize(); at += 1 << 30) {
            crc.update(
                    bytes.asSlice(at, Math.min(1 << 30, bytes.byteSize() - at)).asByteBuffer());
        }
        return crc.getValue();
    }
}
