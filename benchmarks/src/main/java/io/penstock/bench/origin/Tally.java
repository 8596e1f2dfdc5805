package io.penstock.bench.origin;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** The counters while they count. Safe for many threads. */
final class Tally {
    private final Map<String, LongAdder> requests = new ConcurrentHashMap<>();
    private final Map<Integer, LongAdder> responses = new ConcurrentHashMap<>();
    private final LongAdder bodyBytes = new LongAdder();
    private final LongAdder wireBytes = new LongAdder();
    private final LongAdder uploadedBytes = new LongAdder();
    private final LongAdder connections = new LongAdder();
    private final AtomicLong open = new AtomicLong();
    private final AtomicLong mostOpen = new AtomicLong();

    void opened() {
        connections.increment();
        mostOpen.accumulateAndGet(open.incrementAndGet(), Math::max);
    }

    void closed() {
        open.decrementAndGet();
    }

    void request(String method) {
        requests.computeIfAbsent(method, m -> new LongAdder()).increment();
    }

    void response(int status) {
        responses.computeIfAbsent(status, s -> new LongAdder()).increment();
    }

    void sent(long wire, long body) {
        wireBytes.add(wire);
        bodyBytes.add(body);
    }

    void uploaded(long body) {
        uploadedBytes.add(body);
    }

    void reset() {
        requests.clear();
        responses.clear();
        bodyBytes.reset();
        wireBytes.reset();
        uploadedBytes.reset();
        connections.reset();
        mostOpen.set(open.get());
    }

    OriginCounters counters() {
        return new OriginCounters(
                sums(requests),
                sums(responses),
                bodyBytes.sum(),
                wireBytes.sum(),
                uploadedBytes.sum(),
                connections.sum(),
                mostOpen.get());
    }

    private static <K> Map<K, Long> sums(Map<K, LongAdder> adders) {
        Map<K, Long> sums = new ConcurrentHashMap<>();
        adders.forEach((key, adder) -> sums.put(key, adder.sum()));
        return sums;
    }
}
