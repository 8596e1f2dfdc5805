package io.penstock.bench.checkpoint;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Published layouts that can be scaled: names, dtypes, the proportions of the tensors and the number of tensors in a shard
 * stay, dimensions and the number of experts (or layers) shrink.
 */
public enum Layout {
    DEEPSEEK_V3(91_991, 163, 7_000, 6, 129),
    LLAMA_3_70B(723, 30, 723, 5, 0),
    QWEN3_30B_A3B(18_867, 16, 4_000, 5, 0);

    /** A layout at one scale: all tensors in the order in which shards are filled, and the model's config.json. */
    record Scaled(List<TensorSpec> tensors, Map<String, Object> config) {
        long bytes() {
            return tensors.stream().mapToLong(TensorSpec::bytes).sum();
        }
    }

    /** How much is kept. {@code spareRows} are added to the vocabulary, to meet a size. */
    record Scale(double width, int tensors, long spareRows) {
        /** A scaled dimension: a multiple of 16, at least 16. */
        long of(long dimension) {
            return width == 1 ? dimension : Math.max(16, Math.round(dimension * width / 16) * 16);
        }
    }

    private final int realTensors;
    private final int realShards;
    private final int usualTensors;
    private final int totalDigits;
    private final int indexSurplus;

    Layout(int realTensors, int realShards, int usualTensors, int totalDigits, int indexSurplus) {
        this.realTensors = realTensors;
        this.realShards = realShards;
        this.usualTensors = usualTensors;
        this.totalDigits = totalDigits;
        this.indexSurplus = indexSurplus;
    }

    /** Name on the command line: {@code deepseek-v3}. */
    public String id() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    public static Layout byId(String id) {
        return Arrays.stream(values())
                .filter(l -> l.id().equals(id))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no layout '" + id + "'; there are "
                        + Arrays.stream(values()).map(Layout::id).toList()));
    }

    /** Tensors of the published model. */
    public int realTensors() {
        return realTensors;
    }

    /** Tensors of a small copy. */
    public int usualTensors() {
        return usualTensors;
    }

    /** Shards of a copy with {@code tensors} tensors: as many tensors in each as the published model has. */
    int shards(int tensors) {
        return Math.max(2, Math.toIntExact(Math.round((double) realShards * tensors / realTensors)));
    }

    /** {@code index} counts from 1. */
    String shardName(int index, int shards) {
        return String.format(Locale.ROOT, "model-%05d-of-%0" + totalDigits + "d.safetensors", index, shards);
    }

    /** metadata.total_size of the index; DeepSeek's counts 129 bytes more for each tensor. */
    long indexedSize(long bytes, int tensors) {
        return bytes + (long) indexSurplus * tensors;
    }

    /** The tensors of a copy of about {@code bytes} (within a row of the vocabulary) and about {@code tensors}. */
    Scaled scaledTo(long bytes, int tensors) {
        double low = 0;
        double high = 4;
        for (int i = 0; i < 60; i++) {
            double middle = (low + high) / 2;
            if (build(new Scale(middle, tensors, 0)).bytes() <= bytes) {
                low = middle;
            } else {
                high = middle;
            }
        }
        long base = build(new Scale(low, tensors, 0)).bytes();
        long row = build(new Scale(low, tensors, 1)).bytes() - base;
        if (base > bytes) {
            throw new IllegalArgumentException(
                    bytes + " bytes are too few for " + tensors + " tensors of " + id() + ", " + base + " needed");
        }
        return build(new Scale(low, tensors, (bytes - base) / row));
    }

    private Scaled build(Scale scale) {
        return switch (this) {
            case DEEPSEEK_V3 -> DeepSeekLayout.of(scale);
            case LLAMA_3_70B -> LlamaLayout.of(scale);
            case QWEN3_30B_A3B -> QwenMoeLayout.of(scale);
        };
    }

    /** The published model's own dimensions. */
    Scaled real() {
        return build(new Scale(1, realTensors, 0));
    }
}
