package io.penstock.cache.chunk;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Policy;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Which objects of a tier go first: Caffeine's order over frequency and recency of use. The cache here serves as the
 * policy only; its maximum is out of reach, and what the tier holds is decided by the tier.
 */
final class EvictionOrder {
    private static final int UNIT = 64 << 10;

    private final Cache<Entry, Boolean> entries;
    private final Policy.Eviction<Entry, Boolean> order;

    EvictionOrder(long quota) {
        entries = Caffeine.newBuilder()
                .maximumWeight(2 * (quota / UNIT) + (1 << 20))
                .weigher(EvictionOrder::weight)
                .executor(Runnable::run)
                .build();
        order = entries.policy().eviction().orElseThrow();
    }

    private static int weight(Entry entry, Boolean ignored) {
        return (int) Math.min(Integer.MAX_VALUE, entry.stored.get() / UNIT + 1);
    }

    /** The entry was used, or its size has changed. */
    void used(Entry entry) {
        entries.put(entry, true);
    }

    void removed(Entry entry) {
        entries.invalidate(entry);
    }

    /** The coldest that match, {@code bytes} in all or more where there are as many. */
    List<Entry> coldest(long bytes, Predicate<Entry> matching) {
        long[] sum = {0};
        return order.coldest(stream -> stream.map(Policy.CacheEntry::getKey)
                .takeWhile(entry -> sum[0] < bytes)
                .filter(matching)
                .peek(entry -> sum[0] += entry.stored.get())
                .collect(Collectors.toList()));
    }
}
