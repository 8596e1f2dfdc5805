package io.penstock.gpu.service;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.io.SerializedString;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a safetensors file says of its tensors, checked against the file: every byte behind the header belongs to exactly one
 * tensor. Tensors are in the order of their bytes. A header takes no more than four times its length of heap, and 2 MB.
 *
 * @param bytes of the header itself
 */
record Header(List<Model.Tensor> tensors, Map<String, String> metadata, long bytes) {
    static final long LARGEST = 100_000_000;
    static final int MOST_TENSORS = 1_000_000;
    private static final int MOST_DIMENSIONS = 64;
    /** So many entries of metadata may any header have; more of them only where they are so long on average. */
    private static final int FREE_ENTRIES = 8192;

    private static final int ENTRY_BYTES = 64;
    private static final SerializedString[] FIELDS = {
        new SerializedString("dtype"), new SerializedString("shape"), new SerializedString("data_offsets")
    };
    private static final Map<String, Integer> BITS = bits();
    private static final String[] DTYPES = BITS.keySet().toArray(new String[0]);
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
        if (!Files.isRegularFile(file)) { // a pipe would be waited for
            throw Files.exists(file, LinkOption.NOFOLLOW_LINKS)
                    ? FileModels.refused(file, "it is no regular file")
                    : new PenstockException(ErrorCode.LOADER_READ, file + " is not there", "Look at the path.");
        }
        try (FileChannel channel = FileChannel.open(file)) {
            long size = channel.size();
            ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
            fill(channel, length, 0, file);
            long bytes = length.getLong(0);
            if (bytes < 2 || bytes > LARGEST || bytes > size - 8) {
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
        requireUtf8(json, file);
        try (JsonParser parser = FACTORY.createParser(json)) {
            return new Parse(parser, file, number, 8L + json.length, size).header();
        } catch (JsonProcessingException e) {
            throw FileModels.refused(file, "its header is no JSON: " + e.getOriginalMessage());
        }
    }

    /** Strictly, and as safetensors files begin: what reads JSON would take UTF-16 too, and characters written longer than need be. */
    private static void requireUtf8(byte[] json, Path file) throws PenstockException {
        if (json.length < 2 || json[0] != '{' || json[1] == 0) {
            throw FileModels.refused(file, "its header does not begin with {");
        }
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        ByteBuffer in = ByteBuffer.wrap(json);
        CharBuffer out = CharBuffer.allocate(Math.min(json.length, 8192));
        CoderResult result = decoder.decode(in, out, true);
        while (result.isOverflow()) {
            out.clear();
            result = decoder.decode(in, out, true);
        }
        if (result.isError()) {
            throw FileModels.refused(file, "its header is not UTF-8 at byte " + (8L + in.position()));
        }
    }

    private static final class Parse {
        private final JsonParser json;
        private final Path file;
        private final int number;
        private final long begin;
        private final long size;
        private final int[] order = {0, 1, 2};
        private final long[] numbers = new long[MOST_DIMENSIONS];

        Parse(JsonParser json, Path file, int number, long begin, long size) {
            this.json = json;
            this.file = file;
            this.number = number;
            this.begin = begin;
            this.size = size;
        }

        Header header() throws IOException {
            List<Model.Tensor> tensors = new ArrayList<>();
            Map<String, String> metadata = null;
            expect(json.nextToken(), JsonToken.START_OBJECT, "its header is no object");
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                if (name.equals("__metadata__")) {
                    expect(metadata == null, "it names __metadata__ twice");
                    metadata = metadata();
                } else if (tensors.size() == MOST_TENSORS) {
                    throw refuse("it has more than " + MOST_TENSORS + " tensors");
                } else {
                    if (surrogates(name)) {
                        throw refuse("a name in it is no text");
                    }
                    tensors.add(tensor(name));
                }
            }
            if (json.nextToken() != null) {
                throw refuse("something follows its header's object");
            }
            requireDifferentNames(tensors);
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
            return new Header(tensors, metadata == null ? Map.of() : metadata, begin);
        }

        /** Half a character, which JSON can write and UTF-8 cannot. */
        private static boolean surrogates(String name) {
            for (int i = 0; i < name.length(); i++) {
                if (Character.isHighSurrogate(name.charAt(i))
                        && i + 1 < name.length()
                        && Character.isLowSurrogate(name.charAt(i + 1))) {
                    i++;
                } else if (Character.isSurrogate(name.charAt(i))) {
                    return true;
                }
            }
            return false;
        }

        /** By sorting: names can be made to collide in a table of hashes, and such a table takes more memory. */
        private void requireDifferentNames(List<Model.Tensor> tensors) throws PenstockException {
            tensors.sort(Comparator.comparing(Model.Tensor::name));
            for (int i = 1; i < tensors.size(); i++) {
                if (tensors.get(i).name().equals(tensors.get(i - 1).name())) {
                    throw refuse("it names " + tensors.get(i).name() + " twice");
                }
            }
        }

        private Map<String, String> metadata() throws IOException {
            Map<String, String> into = new HashMap<>();
            expect(json.nextToken(), JsonToken.START_OBJECT, "its metadata is no object");
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                expect(json.nextToken(), JsonToken.VALUE_STRING, "its metadata holds something else than text");
                if (into.put(name, json.getText()) != null) {
                    throw refuse("its metadata names " + name + " twice");
                }
                if (into.size() > FREE_ENTRIES + begin / ENTRY_BYTES) {
                    throw refuse("its metadata has more than " + into.size() + " entries, most of them short");
                }
            }
            return into;
        }

        /** Fields are asked for in the order of the tensor before: names that are as expected cost no memory. */
        private Model.Tensor tensor(String name) throws IOException {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw refuse("tensor " + name + " is no object");
            }
            String dtype = null;
            List<Long> shape = null;
            long elements = 0;
            long from = -1;
            long to = -1;
            for (int i = 0; ; i++) {
                int field = field(i, name);
                if (field < 0) {
                    break;
                }
                json.nextToken();
                boolean twice;
                switch (field) {
                    case 0 -> {
                        twice = dtype != null;
                        dtype = dtype(name);
                    }
                    case 1 -> {
                        twice = shape != null;
                        int count = numbers(name);
                        shape = Shape.of(numbers, count);
                        elements = elements(count);
                    }
                    default -> {
                        twice = from >= 0;
                        if (numbers(name) != 2) {
                            throw refuse("tensor " + name + " has no beginning and end");
                        }
                        from = numbers[0];
                        to = numbers[1];
                    }
                }
                if (twice) {
                    throw refuse("tensor " + name + " has two of " + FIELDS[field]);
                }
            }
            if (dtype == null || shape == null || from < 0) {
                throw refuse("tensor " + name + " has no type, shape or place");
            }
            long bits = Math.multiplyHigh(elements, BITS.get(dtype)) == 0 ? elements * BITS.get(dtype) : -1;
            if (from > to || to > size || bits < 0 || bits % 8 != 0 || bits / 8 != to - from) {
                throw refuse("tensor " + name + " lies outside of the file or has the wrong length");
            }
            return new Model.Tensor(name, dtype, shape, number, begin + from, to - from);
        }

        /** Which of {@link #FIELDS} comes next; -1 at the end of the tensor. */
        private int field(int i, String name) throws IOException {
            int expected = order[Math.min(i, 2)];
            if (json.nextFieldName(FIELDS[expected])) {
                return expected;
            }
            if (json.currentToken() == JsonToken.END_OBJECT) {
                return -1;
            }
            for (int field = 0; field < FIELDS.length; field++) {
                if (json.currentToken() == JsonToken.FIELD_NAME
                        && FIELDS[field].getValue().equals(json.currentName())) {
                    order[Math.min(i, 2)] = field;
                    return field;
                }
            }
            throw refuse("tensor " + name + " has something that is not known");
        }

        private String dtype(String name) throws IOException {
            if (json.currentToken() == JsonToken.VALUE_STRING) {
                int length = json.getTextLength();
                for (String dtype : DTYPES) {
                    if (dtype.length() == length && same(dtype, json.getTextCharacters(), json.getTextOffset())) {
                        return dtype;
                    }
                }
            }
            throw refuse("tensor " + name + " has a type that is not known");
        }

        private static boolean same(String text, char[] in, int at) {
            for (int i = 0; i < text.length(); i++) {
                if (in[at + i] != text.charAt(i)) {
                    return false;
                }
            }
            return true;
        }

        /** The product of the first {@code count} of {@link #numbers}; -1 where it, without zeros, is beyond 2^63. */
        private long elements(int count) {
            long product = 1;
            boolean none = false;
            for (int i = 0; i < count; i++) {
                none |= numbers[i] == 0;
                long factor = Math.max(1, numbers[i]);
                if (Math.multiplyHigh(product, factor) != 0 || product * factor < 0) {
                    return -1;
                }
                product *= factor;
            }
            return none ? 0 : product;
        }

        /** Reads a list into {@link #numbers}; returns how many there are. */
        private int numbers(String name) throws IOException {
            if (json.currentToken() != JsonToken.START_ARRAY) {
                throw refuse("tensor " + name + " has no list where one belongs");
            }
            int count = 0;
            while (json.nextToken() != JsonToken.END_ARRAY) {
                if (json.currentToken() != JsonToken.VALUE_NUMBER_INT
                        || json.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                        || json.getLongValue() < 0) {
                    throw refuse("tensor " + name + " has something else than whole numbers of 0 to 2^63 - 1");
                }
                if (count == MOST_DIMENSIONS) {
                    throw refuse("tensor " + name + " has more than " + MOST_DIMENSIONS + " numbers in a list");
                }
                numbers[count++] = json.getLongValue();
            }
            return count;
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
            return FileModels.refused(file, shown(why));
        }
    }

    /** Names may be as long as the file says. */
    static String shown(String text) {
        return text.length() > 300 ? text.substring(0, 300) + " ..." : text;
    }
}
