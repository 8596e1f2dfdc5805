package io.penstock.cache.plan.rank;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a safetensors file's header says that its tensors are: as much as a plan needs. Places outside of the file are refused;
 * types, names that come twice, overlaps and gaps are for whoever loads it.
 */
final class TensorHeader {
    private static final int MOST_DIMENSIONS = 16;
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(8)
                    .maxNumberLength(24)
                    .maxNameLength(1024)
                    .build())
            .build();

    private final JsonParser json;
    private final String file;
    private final long begin;
    private final long size;
    private final int most;

    private TensorHeader(JsonParser json, String file, long begin, long size, int most) {
        this.json = json;
        this.file = file;
        this.begin = begin;
        this.size = size;
        this.most = most;
    }

    /**
     * Of the bytes behind the length.
     *
     * @param size of the file
     * @param most tensors that it may have
     * @throws PenstockException it is no header of this file
     */
    static List<Tensor> parse(byte[] header, String file, long size, int most) throws PenstockException {
        try (JsonParser json = FACTORY.createParser(header)) {
            return new TensorHeader(json, file, 8L + header.length, size, most).tensors();
        } catch (PenstockException e) {
            throw e;
        } catch (IOException | ArithmeticException e) {
            throw refused(file, "its header cannot be read");
        }
    }

    private List<Tensor> tensors() throws IOException {
        List<Tensor> tensors = new ArrayList<>();
        expect(json.nextToken() == JsonToken.START_OBJECT);
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String name = json.currentName();
            expect(json.nextToken() == JsonToken.START_OBJECT);
            if (name.equals("__metadata__")) {
                json.skipChildren();
            } else if (tensors.size() == most) {
                throw refused(file, "there are too many tensors");
            } else {
                tensors.add(tensor(name));
            }
        }
        expect(json.currentToken() == JsonToken.END_OBJECT);
        return tensors;
    }

    private Tensor tensor(String name) throws IOException {
        List<Long> shape = null;
        List<Long> place = List.of();
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String field = json.currentName();
            json.nextToken();
            switch (field) {
                case "shape" -> shape = numbers();
                case "data_offsets" -> place = numbers();
                default -> json.skipChildren();
            }
        }
        expect(json.currentToken() == JsonToken.END_OBJECT && shape != null && place.size() == 2);
        long from = Math.addExact(begin, place.get(0));
        long to = Math.addExact(begin, place.get(1));
        expect(from <= to && to <= size);
        long elements = 1;
        for (long dimension : shape) {
            elements = Math.multiplyExact(elements, dimension);
        }
        // no type has more than 8 bytes; fp4 has two in one
        expect(elements / 2 <= to - from && (to - from) / 8 <= elements);
        return new Tensor(name, shape, file, from, to - from);
    }

    private List<Long> numbers() throws IOException {
        expect(json.currentToken() == JsonToken.START_ARRAY);
        List<Long> numbers = new ArrayList<>();
        while (json.nextToken() != JsonToken.END_ARRAY) {
            expect(json.currentToken() == JsonToken.VALUE_NUMBER_INT
                    && numbers.size() < MOST_DIMENSIONS
                    && json.getLongValue() >= 0);
            numbers.add(json.getLongValue());
        }
        return numbers;
    }

    private void expect(boolean so) throws PenstockException {
        if (!so) {
            throw refused(file, "its header is not that of a safetensors file");
        }
    }

    static PenstockException refused(String file, String why) {
        return new PenstockException(
                ErrorCode.BAD_VALUE, file + " tells no rank what it needs: " + why, "Look at the file.");
    }
}
