package io.penstock.cache.chunk;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import java.io.IOException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Decides where objects are placed and which ones go when there is no room. Open and pinned ones never go. */
final class Evictor {
    private static final Logger LOG = LoggerFactory.getLogger(Evictor.class);
    private static final String REMEDY =
            "raise the quota of the cache, remove or unpin snapshots, or mount without a prefetch";

    private final List<Tier> tiers;
    private final ConcurrentHashMap<ObjectId, Entry> index;

    Evictor(List<Tier> tiers, ConcurrentHashMap<ObjectId, Entry> index) {
        this.tiers = tiers;
        this.index = index;
    }

    /**
     * The tier for an object: the first with room for all of it, else the first where eviction makes that room, else
     * the one with most room, where it can grow as far as that goes.
     */
    Tier choose(ObjectId object, long bytes) throws StoreException {
        for (Tier tier : tiers) {
            if (!tier.failing() && tier.left() - tier.promised() >= bytes) {
                return tier;
            }
        }
        Tier roomiest = null;
        long most = 0;
        for (Tier tier : tiers) {
            if (tier.failing()) {
                continue;
            }
            long promised = tier.promised();
            long possible = tier.left() + idleBytes(tier, Set.of()) - promised;
            if (possible >= bytes && makeRoom(tier, bytes + promised, Set.of())) {
                return tier;
            }
            long room = tier.left() + idleBytes(tier, Set.of());
            if (room > most) {
                most = room;
                roomiest = tier;
            }
        }
        if (roomiest != null) {
            return roomiest;
        }
        for (Tier tier : tiers) {
            if (!tier.failing()) {
                throw full(tier, "storing " + object);
            }
        }
        throw tiers.getFirst().stillFailing();
    }

    private static StoreException full(Tier tier, String what) {
        TierUsage usage = tier.usage();
        return new StoreException(
                ErrorCode.NO_ROOM,
                what + ": tier " + tier.name() + " is full (" + usage.used() + " of " + usage.quota()
                        + " bytes used, all by objects in use; " + usage.room() + " can be written)",
                REMEDY,
                null);
    }

    /** Takes {@code bytes} of the tier's quota, evicting what may go. */
    void reserve(Tier tier, long bytes) throws StoreException {
        if (!tier.room.reserve(bytes)) {
            makeRoom(tier, bytes, Set.of());
            if (!tier.room.reserve(bytes)) {
                throw full(tier, "storing " + bytes + " bytes");
            }
        }
    }

    /** The file system is full before the quota is. */
    boolean makeRoomOnDisk(Tier tier, long bytes) {
        return evict(tier, bytes, Set.of()) >= bytes;
    }

    /** Above the high watermark: evicts down to the low one. */
    void keepBelowWatermark(Tier tier) {
        long used = tier.room.used();
        if (!tier.failing() && used > tier.options().highBytes()) {
            evict(tier, used - tier.options().lowBytes(), Set.of());
        }
    }

    private boolean makeRoom(Tier tier, long bytes, Set<ObjectId> spared) {
        long missing = bytes - tier.left();
        if (missing > 0) {
            evict(tier, missing, spared);
        }
        return tier.left() >= bytes;
    }

    private static Predicate<Entry> candidates(Tier tier, Set<ObjectId> spared) {
        return entry -> entry.tier == tier && entry.idle() && !spared.contains(entry.object);
    }

    private long idleBytes(Tier tier, Set<ObjectId> spared) {
        long sum = 0;
        Predicate<Entry> candidates = candidates(tier, spared);
        for (Entry entry : index.values()) {
            if (candidates.test(entry)) {
                sum += entry.stored.get();
            }
        }
        return sum;
    }

    /** Returns the bytes that were freed. */
    private long evict(Tier tier, long bytes, Set<ObjectId> spared) {
        long freed = 0;
        for (Entry entry : tier.order.coldest(bytes, candidates(tier, spared))) {
            freed += evict(entry);
        }
        if (freed < bytes) {
            for (Entry entry : index.values()) {
                if (freed < bytes && candidates(tier, spared).test(entry)) {
                    freed += evict(entry);
                }
            }
        }
        return freed;
    }

    private long evict(Entry entry) {
        long bytes = entry.stored.get();
        try {
            if (!entry.pinned && remove(entry)) {
                LOG.debug("evicted {}, {} bytes", entry.object, bytes);
                return bytes;
            }
        } catch (StoreException e) {
            LOG.warn("{} is not evicted", entry.object, e);
        }
        return 0;
    }

    /** Removes an object's files; false when it is held. */
    boolean remove(Entry entry) throws StoreException {
        Tier tier = entry.tier;
        if (!entry.shared.end()) {
            return false;
        }
        try {
            if (tier != null) {
                ObjectFiles.delete(tier, Names.of(entry.object));
                tier.room.release(entry.stored.getAndSet(0));
                tier.order.removed(entry);
            }
        } catch (IOException e) {
            entry.shared.revive();
            throw tier.error("removing " + entry.object, e);
        }
        index.remove(entry.object, entry);
        entry.shared.removed();
        return true;
    }

    /** Checks that the objects can all be complete at the same time, and evicts what has to go for that. */
    void ensureRoom(List<ObjectId> objects) throws StoreException {
        Set<ObjectId> spared = new HashSet<>(objects);
        Map<Tier, Long> possible = new HashMap<>();
        Map<Tier, Long> needed = new HashMap<>();
        for (Tier tier : tiers) {
            long promised = 0;
            for (Entry entry : tier.growing) {
                promised += spared.contains(entry.object) ? 0 : entry.missing();
            }
            possible.put(tier, tier.failing() ? 0 : tier.left() + idleBytes(tier, spared) - promised);
            needed.put(tier, 0L);
        }
        long missing = 0;
        for (ObjectId object : spared.stream()
                .sorted(Comparator.comparingLong(ObjectId::size).reversed())
                .toList()) {
            Entry entry = index.get(object);
            long bytes = object.size() - (entry == null ? 0 : entry.stored.get());
            Tier placed = entry == null ? null : entry.tier;
            Tier tier = null;
            for (Tier candidate : placed != null ? List.of(placed) : tiers) {
                if (tier == null && possible.get(candidate) >= bytes) {
                    tier = candidate;
                }
            }
            if (tier == null) {
                missing += bytes;
            } else {
                possible.merge(tier, -bytes, Long::sum);
                needed.merge(tier, bytes, Long::sum);
            }
        }
        if (missing > 0) {
            throw new StoreException(
                    ErrorCode.NO_ROOM,
                    "the cache lacks room for " + missing + " bytes of " + spared.size() + " objects",
                    REMEDY,
                    null);
        }
        for (Tier tier : tiers) {
            if (needed.get(tier) > 0 && !makeRoom(tier, needed.get(tier), spared)) {
                throw full(tier, "making room for " + needed.get(tier) + " bytes");
            }
        }
    }
}
