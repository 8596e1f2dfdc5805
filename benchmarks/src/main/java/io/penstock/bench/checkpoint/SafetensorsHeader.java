package io.penstock.bench.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * What a safetensors file holds.
 *
 * @param tensors in name order, as Python's {@code safe_open(...).keys()} gives them
 * @param headerBytes length field and JSON
 */
public record SafetensorsHeader(List<Tensor> tensors, long headerBytes) {
    private static final long MAX_HEADER = 100_000_000;
    private static final JsonFactory JSON = new JsonFactory();

    /** A tensor: {@code offset} counts from the file's beginning. */
    public record Tensor(String name, long offset, long length) {}

    public SafetensorsHeader {
        tensors = List.copyOf(tensors);
    }

    /** Reads the header of {@code file}; a header that does not fit its file is refused. */
    public static SafetensorsHeader read(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            long length = ByteBuffer.wrap(read(channel, 0, Long.BYTES, file))
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .getLong();
            if (length < 2 || length > MAX_HEADER || length > channel.size() - Long.BYTES) {
                throw new IOException(file + ": a header of " + length + " bytes cannot be");
            }
            byte[] json = read(channel, Long.BYTES, (int) length, file);
            return parse(json, Long.BYTES + length, channel.size(), file);
        }
    }

    private static SafetensorsHeader parse(byte[] json, long data, long size, Path file) throws IOException {
        List<Tensor> tensors = new ArrayList<>();
        try (JsonParser parser = JSON.createParser(json)) {
            parser.nextToken();
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                parser.nextToken();
                if (name.equals("__metadata__")) {
                    parser.skipChildren();
                    continue;
                }
                long begin = -1;
                long end = -1;
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    boolean offsets = parser.currentName().equals("data_offsets");
                    parser.nextToken();
                    if (offsets) {
                        begin = parser.nextLongValue(-1);
                        end = parser.nextLongValue(-1);
                        parser.nextToken();
                    } else {
                        parser.skipChildren();
                    }
                }
                if (begin < 0 || end < begin || end > size - data) {
                    throw new IOException(file + ": tensor " + name + " lies outside the file");
                }
                tensors.add(new Tensor(name, data + begin, end - begin));
            }
        }
        tensors.sort(Comparator.comparing(Tensor::name));
        return new SafetensorsHeader(tensors, data);
    }

    private static byte[] read(FileChannel channel, long at, int length, Path file) throws IOException {
        byte[] array = new byte[length];
        ByteBuffer bytes = ByteBuffer.wrap(array);
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, at + bytes.position()) < 0) {
                throw new IOException(file + ": ends within its header");
            }
        }
        return array;
    }
}
