package io.penstock.bench.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/**
 * One safetensors file before it is written.
 *
 * @param name file name
 * @param tensors in file order: by dtype, then by name as text
 * @param header length field and JSON; read it through a duplicate
 */
record Shard(String name, List<TensorSpec> tensors, ByteBuffer header) {
    private static final int ALIGNMENT = 8;

    static Shard of(String name, List<TensorSpec> tensors) {
        List<TensorSpec> sorted = new ArrayList<>(tensors);
        sorted.sort(Comparator.comparing(TensorSpec::dtype).thenComparing(TensorSpec::name));
        return new Shard(name, List.copyOf(sorted), header(sorted));
    }

    /** Splits {@code layout}'s tensors into {@code count} files of about the same size, in their order. */
    static List<Shard> split(Layout layout, Layout.Scaled scaled, int count) {
        double each = (double) scaled.bytes() / count;
        List<List<TensorSpec>> parts = new ArrayList<>();
        List<TensorSpec> part = new ArrayList<>();
        long done = 0;
        for (TensorSpec tensor : scaled.tensors()) {
            if (parts.size() < count - 1 && !part.isEmpty() && done + tensor.bytes() / 2 >= each * (parts.size() + 1)) {
                parts.add(part);
                part = new ArrayList<>();
            }
            part.add(tensor);
            done += tensor.bytes();
        }
        parts.add(part);
        List<Shard> shards = new ArrayList<>();
        for (int i = 0; i < parts.size(); i++) {
            shards.add(of(layout.shardName(i + 1, parts.size()), parts.get(i)));
        }
        return List.copyOf(shards);
    }

    long bytes() {
        return header.remaining()
                + tensors.stream().mapToLong(TensorSpec::bytes).sum();
    }

    private static ByteBuffer header(List<TensorSpec> tensors) {
        StringBuilder json = new StringBuilder("{\"__metadata__\":{\"format\":\"pt\"}");
        long offset = 0;
        for (TensorSpec tensor : tensors) {
            String shape = tensor.shape().stream().map(String::valueOf).collect(Collectors.joining(","));
            long end = offset + tensor.bytes();
            json.append(",\"").append(tensor.name()).append("\":{\"dtype\":\"").append(tensor.dtype());
            json.append("\",\"shape\":[").append(shape).append("],\"data_offsets\":[");
            json.append(offset).append(',').append(end).append("]}");
            offset = end;
        }
        json.append('}');
        while (json.length() % ALIGNMENT != 0) {
            json.append(' ');
        }
        byte[] text = json.toString().getBytes(StandardCharsets.US_ASCII);
        return ByteBuffer.allocate(Long.BYTES + text.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(text.length)
                .put(text)
                .flip()
                .asReadOnlyBuffer();
    }
}
