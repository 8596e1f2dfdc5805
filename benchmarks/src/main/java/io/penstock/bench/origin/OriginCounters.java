package io.penstock.bench.origin;

import io.penstock.cache.config.Bandwidth;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What has passed so far.
 *
 * @param requests requests by method
 * @param responses answers by status
 * @param bodyBytes bytes of answers' bodies handed to clients
 * @param wireBytes the same with heads
 * @param uploadedBytes bytes of requests' bodies
 * @param connections connections accepted
 * @param mostConnections the most that were open at one time
 */
public record OriginCounters(
        Map<String, Long> requests,
        Map<Integer, Long> responses,
        long bodyBytes,
        long wireBytes,
        long uploadedBytes,
        long connections,
        long mostConnections) {

    public OriginCounters {
        requests = Map.copyOf(requests);
        responses = Map.copyOf(responses);
    }

    public long requestCount() {
        return requests.values().stream().mapToLong(Long::longValue).sum();
    }

    /** One line of JSON, with the shape that was in force. */
    public String toJson(OriginShape shape) {
        return String.format(
                Locale.ROOT,
                "{\"apiVersion\":\"penstock.io/v1\",\"kind\":\"OriginCounters\",\"shape\":{\"firstByteMillis\":%d,"
                        + "\"perConnectionBytesPerSecond\":%s,\"linkBytesPerSecond\":%s,\"burstMillis\":%d},"
                        + "\"requests\":%s,\"responses\":%s,\"bodyBytes\":%d,\"wireBytes\":%d,\"uploadedBytes\":%d,"
                        + "\"connections\":%d,\"mostConnections\":%d}",
                shape.firstByte().toMillis(),
                json(shape.perConnection()),
                json(shape.link()),
                shape.burst().toMillis(),
                object(requests),
                object(responses),
                bodyBytes,
                wireBytes,
                uploadedBytes,
                connections,
                mostConnections);
    }

    private static String json(Bandwidth bandwidth) {
        return bandwidth.unlimited() ? "null" : String.valueOf(bandwidth.bytesPerSecond());
    }

    private static String object(Map<?, Long> counts) {
        return new TreeMap<>(counts)
                .entrySet().stream()
                        .map(e -> "\"" + e.getKey() + "\":" + e.getValue())
                        .collect(Collectors.joining(",", "{", "}"));
    }
}
