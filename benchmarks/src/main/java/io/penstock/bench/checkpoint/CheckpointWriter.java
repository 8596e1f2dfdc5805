package io.penstock.bench.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.zip.CRC32;

/** Writes a checkpoint into a directory, and beside it what its tensors must read as. */
public final class CheckpointWriter {
    private static final int BUFFER = 1 << 20;

    private CheckpointWriter() {}

    /**
     * Writes all files of {@code checkpoint} into {@code directory}, which is made, and {@code DIRECTORY.digests.json} beside
     * it. Files that are there are replaced. The digests hold for each tensor its file, offset in the file, length, the CRC-32
     * of zlib and the wrapping sum of its bytes as little-endian 64-bit words (the last one filled up with zeros).
     *
     * @return the digests by tensor name
     */
    public static Map<String, TensorDigest> write(Checkpoint checkpoint, Path directory) throws IOException {
        writeSmall(checkpoint, directory);
        Map<String, TensorDigest> digests = new LinkedHashMap<>();
        try (ExecutorService writers =
                Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors())) {
            List<Callable<List<TensorDigest>>> tasks = new ArrayList<>();
            for (Shard shard : checkpoint.shards()) {
                tasks.add(() -> writeShard(shard, checkpoint.seed(), directory));
            }
            for (Future<List<TensorDigest>> written : writers.invokeAll(tasks)) {
                written.get().forEach(digest -> digests.put(digest.tensor(), digest));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while writing " + directory, e);
        } catch (ExecutionException e) {
            throw new IOException("writing " + directory + ": " + e.getCause().getMessage(), e);
        }
        Files.writeString(digestFile(directory), json(checkpoint, digests));
        return digests;
    }

    /** Writes files of full length that hold nothing but their headers. They take little room where files may have holes. */
    static void writeHeaders(Checkpoint checkpoint, Path directory) throws IOException {
        writeSmall(checkpoint, directory);
        for (Shard shard : checkpoint.shards()) {
            try (FileChannel file = FileChannel.open(
                    directory.resolve(shard.name()),
                    StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE,
                    StandardOpenOption.TRUNCATE_EXISTING)) {
                long length = shard.header().remaining()
                        + shard.tensors().stream().mapToLong(TensorSpec::bytes).sum();
                writeFully(file, shard.header().duplicate());
                file.write(ByteBuffer.allocate(1), length - 1);
            }
        }
    }

    private static void writeSmall(Checkpoint checkpoint, Path directory) throws IOException {
        Files.createDirectories(directory);
        for (Map.Entry<String, String> file : checkpoint.smallFiles().entrySet()) {
            Files.writeString(directory.resolve(file.getKey()), file.getValue());
        }
    }

    /** Where the digests of the checkpoint in {@code directory} lie: beside it, so that the model holds nothing foreign. */
    public static Path digestFile(Path directory) {
        Path absolute = directory.toAbsolutePath().normalize();
        return absolute.resolveSibling(absolute.getFileName() + ".digests.json");
    }

    private static List<TensorDigest> writeShard(Shard shard, long seed, Path directory) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);
        List<TensorDigest> digests = new ArrayList<>();
        try (FileChannel file = FileChannel.open(
                directory.resolve(shard.name()),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE,
                StandardOpenOption.TRUNCATE_EXISTING)) {
            writeFully(file, shard.header().duplicate());
            long at = shard.header().remaining();
            for (TensorSpec tensor : shard.tensors()) {
                digests.add(writeTensor(file, shard.name(), at, tensor, seed, buffer));
                at += tensor.bytes();
            }
        }
        return digests;
    }

    private static TensorDigest writeTensor(
            FileChannel file, String shard, long at, TensorSpec tensor, long seed, ByteBuffer buffer)
            throws IOException {
        TensorBytes bytes = new TensorBytes(seed, tensor.name());
        CRC32 crc = new CRC32();
        long sum = 0;
        for (long done = 0; done < tensor.bytes(); done += BUFFER) {
            buffer.clear().limit((int) Math.min(BUFFER, tensor.bytes() - done));
            bytes.fill(buffer, done);
            sum += TensorDigest.wordSum(buffer.flip());
            crc.update(buffer.duplicate());
            writeFully(file, buffer);
        }
        return new TensorDigest(tensor.name(), shard, at, tensor.bytes(), crc.getValue(), sum);
    }

    private static void writeFully(FileChannel file, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            file.write(bytes);
        }
    }

    private static String json(Checkpoint checkpoint, Map<String, TensorDigest> digests) {
        StringBuilder json = new StringBuilder(String.format(
                Locale.ROOT,
                "{\"layout\":\"%s\",\"seed\":%d,\"tensorBytes\":%d,\"shards\":%d,\"tensors\":{\n",
                checkpoint.layout().id(),
                checkpoint.seed(),
                checkpoint.tensorBytes(),
                checkpoint.shards().size()));
        String separator = "";
        for (TensorDigest digest : digests.values()) {
            json.append(separator).append(digest.toJson());
            separator = ",\n";
        }
        return json.append("}}\n").toString();
    }
}
