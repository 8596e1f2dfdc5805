package io.penstock.cache.chunk;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The chunk store on directories of this node. Thread-safe. */
public final class DiskChunkStore implements ChunkStore {
    private static final Logger LOG = LoggerFactory.getLogger(DiskChunkStore.class);
    private static final Duration BACKGROUND_WAIT = Duration.ofSeconds(30);
    private static final Duration HOUSEKEEPING = Duration.ofSeconds(5);

    private final List<Tier> tiers;
    private final List<TierUsage> broken;
    private final ConcurrentHashMap<ObjectId, Entry> index;
    private final Map<String, Integer> foreign;
    private final Evictor evictor;
    private final Committer committer;
    private final StoreContext context;
    private volatile boolean closed;

    private DiskChunkStore(StoreOptions options, List<Tier> tiers, List<TierUsage> broken) throws StoreException {
        this.tiers = tiers;
        this.broken = broken;
        index = new ConcurrentHashMap<>();
        foreign = new ConcurrentHashMap<>();
        for (Tier tier : tiers) {
            new Scan(tier, options.chunkSize(), index, foreign).run();
        }
        evictor = new Evictor(tiers, index);
        committer = new Committer(options.commitInterval());
        context = new StoreContext(options.chunkSize(), index, evictor, committer);
        committer.every(HOUSEKEEPING, this::keepHouse);
        if (options.verifySample() > 0) {
            committer.soon(() -> new Sample(this, options.verifySample()).run());
        }
    }

    /**
     * Opens the store, makes the directories that are missing, and finds what is in them.
     *
     * @throws StoreException with {@code CACHE_IN_USE} when another process uses a directory, or {@code CACHE_IO}
     */
    public static DiskChunkStore open(StoreOptions options) throws StoreException {
        return open(options, new LinuxDisk());
    }

    static DiskChunkStore open(StoreOptions options, Disk disk) throws StoreException {
        List<Tier> tiers = new ArrayList<>();
        List<TierUsage> broken = new ArrayList<>();
        try {
            for (TierOptions tier : options.tiers()) {
                try {
                    tiers.add(Tier.open(tier, disk));
                } catch (StoreException e) {
                    if (e.code() != ErrorCode.CACHE_IO || options.tiers().size() == 1) {
                        throw e;
                    }
                    LOG.error("going on without tier {}", tier.name(), e);
                    broken.add(new TierUsage(tier.name(), tier.directory(), tier.quota(), 0, 0, e.getMessage()));
                }
            }
            return new DiskChunkStore(options, List.copyOf(tiers), List.copyOf(broken));
        } catch (StoreException | RuntimeException e) {
            tiers.forEach(Tier::close);
            throw e;
        }
    }

    boolean closed() {
        return closed;
    }

    @Override
    public int chunkSize() {
        return context.chunkSize();
    }

    @Override
    public StoredObject open(ObjectId object) throws StoreException {
        return new Handle(hold(object));
    }

    OpenObject hold(ObjectId object) throws StoreException {
        while (!closed) {
            Entry entry = index.computeIfAbsent(object, Entry::new);
            OpenObject held = entry.shared.hold(() -> load(entry));
            if (held != null) {
                held.finishLoading();
                return held;
            }
            awaitRemoved(entry);
        }
        throw new IllegalStateException("the store is closed");
    }

    private static void awaitRemoved(Entry entry) throws StoreException {
        try {
            entry.shared.awaitRemoved();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StoreException(ErrorCode.CACHE_IO, "interrupted while opening " + entry.object, "", e);
        }
    }

    private OpenObject load(Entry entry) throws StoreException {
        String name = Names.of(entry.object);
        Integer version = foreign.get(name);
        if (version != null) {
            index.remove(entry.object, entry);
            throw new StoreException(
                    ErrorCode.UNKNOWN_FORMAT,
                    "the stored chunks of " + entry.object + " have format " + version + ", this version knows "
                            + Header.VERSION,
                    "use the newer version again, or remove the file " + name + Names.HEAD + " from the cache",
                    null);
        }
        return OpenObject.load(context, entry, name);
    }

    @Override
    public long storedBytes(ObjectId object) {
        Entry entry = index.get(object);
        return entry == null ? 0 : entry.stored.get();
    }

    @Override
    public void ensureRoom(List<ObjectId> objects) throws StoreException {
        evictor.ensureRoom(objects);
    }

    @Override
    public void pin(ObjectId object, boolean pinned) throws StoreException {
        OpenObject held = hold(object);
        try {
            held.pin(pinned);
        } finally {
            held.release();
        }
    }

    @Override
    public List<StoredObjectInfo> objects() {
        List<StoredObjectInfo> infos = new ArrayList<>();
        for (Entry entry : index.values()) {
            Tier tier = entry.tier;
            infos.add(new StoredObjectInfo(
                    entry.object,
                    entry.stored.get(),
                    entry.complete,
                    entry.pinned,
                    entry.users.get() > 0,
                    Instant.ofEpochMilli(entry.lastUsed),
                    tier == null ? "" : tier.name()));
        }
        return infos;
    }

    @Override
    public List<TierUsage> tiers() {
        return Stream.concat(tiers.stream().map(Tier::usage), broken.stream()).toList();
    }

    @Override
    public void remove(ObjectId object) throws StoreException {
        Entry entry = index.get(object);
        long deadline = System.nanoTime() + BACKGROUND_WAIT.toNanos();
        while (entry != null && !entry.pinned && entry.users.get() == 0 && System.nanoTime() < deadline) {
            if (evictor.remove(entry)) {
                return;
            }
            awaitBackground(entry);
            entry = index.get(object);
        }
        if (entry != null) {
            throw new StoreException(
                    ErrorCode.IN_USE,
                    object + " is " + (entry.pinned ? "pinned" : "open"),
                    "unmount what uses it, or unpin it",
                    null);
        }
    }

    private static void awaitBackground(Entry entry) throws StoreException {
        try {
            entry.shared.awaitReleased(100);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StoreException(ErrorCode.CACHE_IO, "interrupted while removing " + entry.object, "", e);
        }
    }

    private void keepHouse() {
        for (Tier tier : tiers) {
            if (tier.failing() && tier.recovered()) {
                commitAll();
            }
            evictor.keepBelowWatermark(tier);
        }
    }

    private void commitAll() {
        for (Entry entry : index.values()) {
            OpenObject object = entry.shared.peek();
            if (object != null) {
                object.commit();
            }
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            committer.stop();
        } catch (InterruptedException e) {
            LOG.warn("interrupted while the store closes; chunks written last are checked at the next start");
            Thread.currentThread().interrupt();
        }
        for (Entry entry : index.values()) {
            OpenObject object = entry.shared.peek();
            if (object != null) {
                object.commit();
                object.close();
            }
        }
        tiers.forEach(Tier::close);
    }
}
