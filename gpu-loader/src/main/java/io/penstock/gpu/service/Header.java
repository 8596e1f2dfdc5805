package io.penstock.gpu.service;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What a safetensors file says of its tensors, checked against the file. Tensors are in the order of their bytes. */
record Header(List<Model.Tensor> tensors, Map<String, String> metadata) {
    private static final long LARGEST = 100_000_000;
    private static final Map<String, Integer> BITS = Map.ofEntries(
            Map.entry("BOOL", 8),
            Map.entry("U8", 8),
            Map.entry("I8", 8),
            Map.entry("F8_E5M2", 8),
            Map.entry("F8_E4M3", 8),
            Map.entry("F8_E8M0", 8),
            Map.entry("F8_E4M3FNUZ", 8),
            Map.entry("F8_E5M2FNUZ", 8),
            Map.entry("F4", 4),
            Map.entry("F6_E2M3", 6),
            Map.entry("F6_E3M2", 6),
            Map.entry("I16", 16),
            Map.entry("U16", 16),
            Map.entry("F16", 16),
            Map.entry("BF16", 16),
            Map.entry("I32", 32),
            Map.entry("U32", 32),
            Map.entry("F32", 32),
            Map.entry("I64", 64),
            Map.entry("U64", 64),
            Map.entry("F64", 64),
            Map.entry("C64", 64));
    private static final ObjectMapper MAPPER = new ObjectMapper(JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(8)
                    .maxNumberLength(24)
                    .build())
            .build());

    static Header read(Path file, int number) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            long size = channel.size();
            ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
            fill(channel, length, 0, file);
            long bytes = length.getLong(0);
            if (bytes <= 0 || bytes > LARGEST || bytes > size - 8) {
                throw FileModels.refused(file, "its header has a length of " + Long.toUnsignedString(bytes));
            }
            ByteBuffer header = ByteBuffer.allocate((int) bytes);
            fill(channel, header, 8, file);
            return parse(MAPPER.readTree(header.array()), file, number, 8 + bytes, size - 8 - bytes);
        } catch (JsonProcessingException e) {
            throw FileModels.refused(file, "its header is no JSON: " + e.getOriginalMessage());
        } catch (PenstockException e) {
            throw e;
        } catch (IOException e) {
            throw new PenstockException(
                    ErrorCode.LOADER_READ, file + " cannot be read: " + e.getMessage(), "Look at the file.", true, e);
        }
    }

    private static void fill(FileChannel channel, ByteBuffer into, long at, Path file) throws IOException {
        while (into.hasRemaining()) {
            if (channel.read(into, at + into.position()) < 0) {
                throw FileModels.refused(file, "it ends within its header");
            }
        }
    }

    private static Header parse(JsonNode json, Path file, int number, long begin, long size) throws IOException {
        if (json == null || !json.isObject()) {
            throw FileModels.refused(file, "its header is no object");
        }
        List<Model.Tensor> tensors = new ArrayList<>();
        Map<String, String> metadata = new HashMap<>();
        for (Map.Entry<String, JsonNode> entry : json.properties()) {
            if (entry.getKey().equals("__metadata__")) {
                entry.getValue()
                        .properties()
                        .forEach(m -> metadata.put(m.getKey(), m.getValue().asText()));
            } else {
                tensors.add(tensor(entry.getKey(), entry.getValue(), file, number, begin, size));
            }
        }
        tensors.sort(Comparator.comparingLong(Model.Tensor::offset).thenComparingLong(Model.Tensor::length));
        long end = begin;
        for (Model.Tensor t : tensors) {
            if (t.offset() != end) {
                throw FileModels.refused(file, "tensor " + t.name() + " overlaps another or leaves a gap");
            }
            end += t.length();
        }
        if (end != begin + size) {
            throw FileModels.refused(file, "its tensors end at " + end + ", the file at " + (begin + size));
        }
        return new Header(tensors, metadata);
    }

    private static Model.Tensor tensor(String name, JsonNode t, Path file, int number, long begin, long size)
            throws IOException {
        Integer bits = BITS.get(t.path("dtype").asText());
        JsonNode offsets = t.path("data_offsets");
        List<Long> shape = new ArrayList<>();
        BigInteger expected = BigInteger.valueOf(bits == null ? 0 : bits);
        for (JsonNode dimension : t.path("shape")) {
            shape.add(whole(dimension, name, file));
            expected = expected.multiply(BigInteger.valueOf(shape.getLast()));
        }
        if (bits == null || !t.path("shape").isArray() || !offsets.isArray() || offsets.size() != 2) {
            throw FileModels.refused(file, "tensor " + name + " has no dtype, shape or offsets that are known");
        }
        long from = whole(offsets.get(0), name, file);
        long to = whole(offsets.get(1), name, file);
        if (from > to
                || to > size
                || !expected.equals(BigInteger.valueOf(to - from).shiftLeft(3))) {
            throw FileModels.refused(file, "tensor " + name + " lies outside of the file or has the wrong length");
        }
        return new Model.Tensor(name, t.path("dtype").asText(), shape, number, begin + from, to - from);
    }

    private static long whole(JsonNode number, String name, Path file) throws IOException {
        if (!number.isIntegralNumber() || !number.canConvertToLong() || number.longValue() < 0) {
            throw FileModels.refused(file, "tensor " + name + " has something else than whole numbers");
        }
        return number.longValue();
    }
}
