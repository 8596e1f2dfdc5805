package io.penstock.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The real model as it is at the origin.
 *
 * @param digests SHA-256 by path
 */
record ModelFiles(Map<String, String> digests) {
    static ModelFiles minilm() throws IOException {
        Path directory = Settings.MODELS.resolve("minilm");
        Map<String, String> digests = new TreeMap<>();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                digests.put(directory.relativize(file).toString(), sha256(file));
            }
        }
        return new ModelFiles(digests);
    }

    private static String sha256(Path file) throws IOException {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    /** For the reader's {@code loop}. */
    String json() {
        return new ObjectMapper().valueToTree(digests).toString();
    }

    /** Waits for what a pod has checked: bytes of all files, and every tensor. Then the pod goes. */
    void mustBeReadBy(ReaderPod pod) {
        JsonNode result = pod.result("files", 120);
        Map<String, String> found = new TreeMap<>();
        result.get("files")
                .properties()
                .forEach(e -> found.put(e.getKey(), e.getValue().asText()));
        assertThat(found).isEqualTo(digests);
        assertThat(result.get("tensors").asInt()).isGreaterThan(100);
        pod.delete();
        pod.awaitGone(60);
    }
}
