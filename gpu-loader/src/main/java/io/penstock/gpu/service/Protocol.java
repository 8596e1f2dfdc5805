package io.penstock.gpu.service;

import com.fasterxml.jackson.databind.JsonNode;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.gpu.device.Device.Exported;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** What an engine may say, out of JSON that may be anything. */
final class Protocol {
    static final int VERSION = 1;
    static final int MOST_FILES = 65_536;
    private static final int HANDLE = 64;

    private Protocol() {}

    /** A message of an engine. */
    sealed interface Request {
        record Hello(int version) implements Request {}

        /** Without {@code path}: these files. Without {@code rank}: everything. */
        record Open(Path path, List<Path> files, JsonNode rank) implements Request {}

        record Slot(int number, Exported memory) implements Request {}

        record Drop(int slot) implements Request {}

        /** With {@code more} the items go on in the next message. */
        record Fetch(long number, int slot, List<Item> items, boolean more) implements Request {}

        record End() implements Request {}
    }

    /** {@code length} bytes of a tensor from {@code start} on, to go to {@code at} in the slot. */
    record Item(int tensor, long start, long length, long at) {}

    static PenstockException broken(String how) {
        return new PenstockException(
                ErrorCode.LOADER_PROTOCOL, how, "Use the Python package and the loader of one release.");
    }

    static Request request(JsonNode m) throws IOException {
        return switch (text(m, "type")) {
            case "hello" -> new Request.Hello(small(m, "version"));
            case "open" -> open(m);
            case "slot" -> slot(m);
            case "drop" -> new Request.Drop(small(m, "slot"));
            case "fetch" ->
                new Request.Fetch(
                        number(m, "fetch"),
                        small(m, "slot"),
                        items(m.path("items")),
                        m.path("more").asBoolean());
            case "end" -> new Request.End();
            default -> throw broken("there is no message of this type");
        };
    }

    private static Request open(JsonNode m) throws IOException {
        JsonNode rank = m.path("rank");
        if (!rank.isMissingNode() && !rank.isObject()) {
            throw broken("the rank of an open message is no object");
        }
        JsonNode files = m.path("files");
        if (files.isMissingNode()) {
            return new Request.Open(path(m.path("path")), List.of(), rank.isObject() ? rank : null);
        }
        if (!files.isArray() || files.isEmpty() || files.size() > MOST_FILES) {
            throw broken("the files of an open message are no list of 1 to " + MOST_FILES);
        }
        List<Path> paths = new ArrayList<>(files.size());
        for (JsonNode file : files) {
            paths.add(path(file));
        }
        return new Request.Open(null, List.copyOf(paths), rank.isObject() ? rank : null);
    }

    private static Path path(JsonNode node) throws IOException {
        try {
            if (node.isTextual() && node.textValue().startsWith("/")) {
                return Path.of(node.textValue());
            }
        } catch (InvalidPathException e) {
            throw broken("what should be a path is none: " + e.getReason());
        }
        throw broken("what should be an absolute path is none");
    }

    private static Request slot(JsonNode m) throws IOException {
        long bytes = number(m, "bytes");
        Exported memory = switch (text(m, "kind")) {
            case "memfd" -> new Exported.Shared(bytes);
            case "cuda-ipc" ->
                new Exported.CudaIpc(bytes, handle(text(m, "handle")), number(m, "offset"), text(m, "gpu"));
            default -> throw broken("there is no memory of this kind");
        };
        return new Request.Slot(small(m, "slot"), memory);
    }

    private static byte[] handle(String hex) throws IOException {
        try {
            byte[] handle = HexFormat.of().parseHex(hex);
            if (handle.length == HANDLE) {
                return handle;
            }
        } catch (IllegalArgumentException e) {
            throw broken("a handle is not hexadecimal");
        }
        throw broken("a handle has not " + HANDLE + " bytes");
    }

    private static List<Item> items(JsonNode array) throws IOException {
        if (!array.isArray()) {
            throw broken("the items of a fetch are no list");
        }
        List<Item> items = new ArrayList<>(array.size());
        for (JsonNode item : array) {
            if (!item.isArray() || item.size() != 4) {
                throw broken("an item of a fetch is not [tensor, start, length, at]");
            }
            long tensor = number(item.get(0));
            if (tensor > Integer.MAX_VALUE) {
                throw broken("there is no tensor " + tensor);
            }
            items.add(new Item((int) tensor, number(item.get(1)), number(item.get(2)), number(item.get(3))));
        }
        return items;
    }

    private static String text(JsonNode m, String field) throws IOException {
        JsonNode node = m.path(field);
        if (!node.isTextual()) {
            throw broken("a message has no text '" + field + "'");
        }
        return node.textValue();
    }

    private static long number(JsonNode m, String field) throws IOException {
        JsonNode node = m.path(field);
        if (node.isMissingNode()) {
            throw broken("a message has no number '" + field + "'");
        }
        return number(node);
    }

    private static int small(JsonNode m, String field) throws IOException {
        long value = number(m, field);
        if (value > Integer.MAX_VALUE) {
            throw broken("the number '" + field + "' is too large");
        }
        return (int) value;
    }

    /** Of zero and more. */
    private static long number(JsonNode node) throws IOException {
        if (!node.isIntegralNumber() || !node.canConvertToLong() || node.longValue() < 0) {
            throw broken("what should be a number of zero or more is none");
        }
        return node.longValue();
    }
}
