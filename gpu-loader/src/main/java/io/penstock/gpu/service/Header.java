package io.penstock.gpu.service;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
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
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a safetensors file says of its tensors, checked against the file: every byte behind the header belongs to exactly one
 * tensor. Tensors are in the order of their bytes. A header takes no more than four times its length of heap, and 1 MB.
 */
record Header(List<Model.Tensor> tensors, Map<String, String> metadata) {
    static final long LARGEST = 100_000_000;
    static final int MOST_TENSORS = 1_000_000;
    private static final int MOST_DIMENSIONS = 64;
    private static final Map<String, Integer> BITS = bits();
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(8)
                    .maxNumberLength(24)
                    .build())
            .build();

    private static Map<String, Integer> bits() {
        Map<String, Integer> bits = new HashMap<>(Map.of("F4", 4, "F6_E2M3", 6, "F6_E3M2", 6));
        for (String d : "BOOL U8 I8 F8_E5M2 F8_E4M3 F8_E8M0 F8_E4M3FNUZ F8_E5M2FNUZ".split(" ", -1)) {
            bits.put(d, 8);
        }
        for (String d : "I16 U16 F16 BF16".split(" ", -1)) {
            bits.put(d, 16);
        }
        for (String d : "I32 U32 F32".split(" ", -1)) {
            bits.put(d, 32);
        }
        for (String d : "I64 U64 F64 C64".split(" ", -1)) {
            bits.put(d, 64);
        }
        return Map.copyOf(bits);
    }

    /** @throws PenstockException the file cannot be read, or what it says of itself is not so */
    static Header read(Path file, int number) throws PenstockException {
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
            return parse(header.array(), file, number, size - 8 - bytes);
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

    /** @param size bytes behind the header */
    static Header parse(byte[] json, Path file, int number, long size) throws IOException {
        try (JsonParser parser = FACTORY.createParser(json)) {
            Parse parse = new Parse(parser, file, number, 8L + json.length, size);
            return parse.header();
        } catch (JsonProcessingException e) {
            throw FileModels.refused(file, "its header is no JSON: " + e.getOriginalMessage());
        }
    }

    private record Parse(JsonParser json, Path file, int number, long begin, long size) {
        Header header() throws IOException {
            List<Model.Tensor> tensors = new ArrayList<>();
            Map<String, String> metadata = new HashMap<>();
            Set<String> names = new HashSet<>();
            expect(json.nextToken(), JsonToken.START_OBJECT, "its header is no object");
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                if (!names.add(name)) {
                    throw refuse("it names " + name + " twice");
                }
                if (name.equals("__metadata__")) {
                    metadata(metadata);
                } else if (tensors.size() == MOST_TENSORS) {
                    throw refuse("it has more than " + MOST_TENSORS + " tensors");
                } else {
                    tensors.add(tensor(name));
                }
            }
            if (json.nextToken() != null) {
                throw refuse("something follows its header's object");
            }
            tensors.sort(Comparator.comparingLong(Model.Tensor::offset).thenComparingLong(Model.Tensor::length));
            long end = begin;
            for (Model.Tensor t : tensors) {
                if (t.offset() != end) {
                    throw refuse("tensor " + t.name() + " overlaps another or leaves a gap");
                }
                end += t.length();
            }
            if (end != begin + size) {
                throw refuse("its tensors end at byte " + end + ", the file at " + (begin + size));
            }
            return new Header(tensors, metadata);
        }

        private void metadata(Map<String, String> into) throws IOException {
            expect(json.nextToken(), JsonToken.START_OBJECT, "its metadata is no object");
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                expect(json.nextToken(), JsonToken.VALUE_STRING, "its metadata holds something else than text");
                if (into.put(name, json.getText()) != null) {
                    throw refuse("its metadata names " + name + " twice");
                }
            }
        }

        private Model.Tensor tensor(String name) throws IOException {
            expect(json.nextToken(), JsonToken.START_OBJECT, "tensor " + name + " is no object");
            String dtype = null;
            List<Long> shape = null;
            List<Long> offsets = null;
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String field = json.currentName();
                json.nextToken();
                switch (field) {
                    case "dtype" -> {
                        expect(dtype == null, "tensor " + name + " has two types");
                        expect(json.currentToken(), JsonToken.VALUE_STRING, "tensor " + name + " has no type");
                        dtype = json.getText();
                    }
                    case "shape" -> {
                        expect(shape == null, "tensor " + name + " has two shapes");
                        shape = numbers(name, MOST_DIMENSIONS);
                    }
                    case "data_offsets" -> {
                        expect(offsets == null, "tensor " + name + " has two places");
                        offsets = numbers(name, 2);
                    }
                    default -> throw refuse("tensor " + name + " has something that is not known");
                }
            }
            Integer bits = dtype == null ? null : BITS.get(dtype);
            expect(bits != null, "tensor " + name + " has a type that is not known");
            expect(
                    shape != null && offsets != null && offsets.size() == 2,
                    "tensor " + name + " has no shape or place");
            long from = offsets.get(0);
            long to = offsets.get(1);
            if (from > to
                    || to > size
                    || !expected(bits, shape)
                            .equals(BigInteger.valueOf(to - from).shiftLeft(3))) {
                throw refuse("tensor " + name + " lies outside of the file or has the wrong length");
            }
            return new Model.Tensor(name, dtype.intern(), shape, number, begin + from, to - from);
        }

        private static BigInteger expected(int bits, List<Long> shape) {
            BigInteger product = BigInteger.valueOf(bits);
            for (long dimension : shape) {
                product = product.multiply(BigInteger.valueOf(dimension));
            }
            return product;
        }

        private List<Long> numbers(String name, int most) throws IOException {
            expect(json.currentToken(), JsonToken.START_ARRAY, "tensor " + name + " has no list where one belongs");
            List<Long> numbers = new ArrayList<>(2);
            while (json.nextToken() != JsonToken.END_ARRAY) {
                expect(json.currentToken(), JsonToken.VALUE_NUMBER_INT, "tensor " + name + " has no whole numbers");
                expect(numbers.size() < most, "tensor " + name + " has too many numbers");
                JsonParser.NumberType type = json.getNumberType();
                expect(type != JsonParser.NumberType.BIG_INTEGER, "tensor " + name + " has a number too large");
                expect(json.getLongValue() >= 0, "tensor " + name + " has a number below zero");
                numbers.add(json.getLongValue());
            }
            return numbers;
        }

        private void expect(JsonToken found, JsonToken expected, String otherwise) throws PenstockException {
            expect(found == expected, otherwise);
        }

        private void expect(boolean condition, String otherwise) throws PenstockException {
            if (!condition) {
                throw refuse(otherwise);
            }
        }

        private PenstockException refuse(String why) {
            return FileModels.refused(file, why.length() > 300 ? why.substring(0, 300) + " ..." : why);
        }
    }
}
