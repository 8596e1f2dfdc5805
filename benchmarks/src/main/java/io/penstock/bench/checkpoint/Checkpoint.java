package io.penstock.bench.checkpoint;

import io.penstock.bench.generated.GeneratedBytes;
import io.penstock.bench.generated.GeneratedObject;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A synthetic checkpoint: which files it has and what is in them. Nothing is written until {@link CheckpointWriter} does.
 */
public final class Checkpoint {
    private final Layout layout;
    private final Layout.Scaled scaled;
    private final List<Shard> shards;
    private final long seed;

    private Checkpoint(Layout layout, Layout.Scaled scaled, long seed) {
        this.layout = layout;
        this.scaled = scaled;
        this.shards = Shard.split(layout, scaled, layout.shards(scaled.tensors().size()));
        this.seed = seed;
    }

    /** A copy of {@code layout} of about {@code bytes} bytes and {@code tensors} tensors. */
    public static Checkpoint scaled(Layout layout, long bytes, int tensors, long seed) {
        return new Checkpoint(layout, layout.scaledTo(bytes, tensors), seed);
    }

    /** The published model's own size and tensors. */
    public static Checkpoint real(Layout layout, long seed) {
        return new Checkpoint(layout, layout.real(), seed);
    }

    public Layout layout() {
        return layout;
    }

    public long seed() {
        return seed;
    }

    public int tensorCount() {
        return scaled.tensors().size();
    }

    /** Bytes of all tensors. */
    public long tensorBytes() {
        return scaled.bytes();
    }

    /** All files by name, their bytes made when they are read. */
    public Map<String, GeneratedObject> objects() {
        Map<String, GeneratedObject> objects = GeneratedShard.all(this);
        smallFiles()
                .forEach((name, text) -> objects.put(
                        name, new GeneratedBytes(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)))));
        return objects;
    }

    List<Shard> shards() {
        return shards;
    }

    /** The small files, by name: config.json, the index and a tokenizer that only has the right place. */
    Map<String, String> smallFiles() {
        Map<String, Object> weightMap = new LinkedHashMap<>();
        shards.forEach(shard -> shard.tensors().forEach(tensor -> weightMap.put(tensor.name(), shard.name())));
        Map<String, Object> index = new LinkedHashMap<>();
        index.put("metadata", Map.of("total_size", layout.indexedSize(tensorBytes(), tensorCount())));
        index.put("weight_map", weightMap);
        Map<String, String> files = new LinkedHashMap<>();
        files.put("config.json", Json.write(scaled.config()));
        files.put("model.safetensors.index.json", Json.write(index));
        files.put(
                "tokenizer.json",
                Json.write(Map.of(
                        "version", "1.0", "model", Map.of("type", "BPE", "vocab", Map.of(), "merges", List.of()))));
        files.put("tokenizer_config.json", Json.write(Map.of("tokenizer_class", "PreTrainedTokenizerFast")));
        return files;
    }
}
