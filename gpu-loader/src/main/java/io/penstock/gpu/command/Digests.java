package io.penstock.gpu.command;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.gpu.device.Destination;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32;

/** Checksums of tensors as they arrived on the device, and what they should be. Not thread-safe. */
final class Digests {
    private static final long LARGEST_FILE = 200_000_000;
    private static final int PIECE = 8 << 20;

    private final Map<String, Long> expected;
    private final Map<String, Long> found = new TreeMap<>();
    private final List<String> wrong = new ArrayList<>();

    private Digests(Map<String, Long> expected) {
        this.expected = expected;
    }

    static Digests none() {
        return new Digests(Map.of());
    }

    /** Out of a file: {@code {"tensors": {NAME: {"crc32": NUMBER}}}}. */
    static Digests expected(Path file) throws IOException {
        if (Files.size(file) > LARGEST_FILE) {
            throw new PenstockException(ErrorCode.USAGE, file + " is no file of digests: too long", "");
        }
        Map<String, Long> expected = new HashMap<>();
        for (Map.Entry<String, JsonNode> e :
                new ObjectMapper().readTree(file.toFile()).path("tensors").properties()) {
            expected.put(e.getKey(), e.getValue().path("crc32").asLong(-1));
        }
        if (expected.isEmpty()) {
            throw new PenstockException(ErrorCode.USAGE, file + " holds no digests", "");
        }
        return new Digests(expected);
    }

    void take(String tensor, Destination memory, long at, long length) throws IOException {
        CRC32 crc = new CRC32();
        if (memory.direct().isPresent()) {
            MemorySegment bytes = memory.direct().get().asSlice(at, length);
            for (long done = 0; done < length; done += PIECE) {
                crc.update(bytes.asSlice(done, Math.min(PIECE, length - done)).asByteBuffer());
            }
        } else {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment piece = arena.allocate(Math.min(PIECE, Math.max(1, length)));
                for (long done = 0; done < length; done += PIECE) {
                    MemorySegment part = piece.asSlice(0, Math.min(PIECE, length - done));
                    memory.fetch(at + done, part);
                    crc.update(part.asByteBuffer());
                }
            }
        }
        found.put(tensor, crc.getValue());
        Long right = expected.get(tensor);
        if (right != null && right != crc.getValue()) {
            wrong.add(tensor);
        }
    }

    /** Tensors whose bytes are not what they should be. */
    List<String> wrong() {
        return List.copyOf(wrong);
    }

    /** How many were compared. */
    long compared() {
        return found.keySet().stream().filter(expected::containsKey).count();
    }

    /** One digest of all: SHA-256 over the lines {@code NAME CRC32}, in the order of the names. */
    String all() {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            found.forEach((name, crc) -> sha.update(
                    (name + " " + HexFormat.of().toHexDigits(crc, 8) + "\n").getBytes(StandardCharsets.UTF_8)));
            return "sha256:" + HexFormat.of().formatHex(sha.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
