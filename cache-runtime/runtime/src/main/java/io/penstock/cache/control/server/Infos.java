package io.penstock.cache.control.server;

import io.penstock.cache.chunk.StoredObjectInfo;
import io.penstock.cache.chunk.TierUsage;
import io.penstock.cache.control.v1.ErrorInfo;
import io.penstock.cache.control.v1.MemoryInfo;
import io.penstock.cache.control.v1.MountInfo;
import io.penstock.cache.control.v1.OriginHealth;
import io.penstock.cache.control.v1.SnapshotInfo;
import io.penstock.cache.control.v1.TierInfo;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.model.Snapshot;
import io.penstock.cache.read.ReadStats;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** What the node is, in the control API's words; a view of one moment. */
final class Infos {
    private final Node node;
    private Map<ObjectId, StoredObjectInfo> stored;

    Infos(Node node) {
        this.node = node;
    }

    SnapshotInfo snapshot(Snapshot snapshot) {
        long here = 0;
        long complete = 0;
        for (Entry entry : snapshot.entries()) {
            long bytes = node.store().storedBytes(entry.object());
            here += bytes;
            complete += bytes == entry.object().size() ? 1 : 0;
        }
        return SnapshotInfo.newBuilder()
                .setDigest(snapshot.digest())
                .setSource(snapshot.source())
                .setObjects(snapshot.entries().size())
                .setBytes(snapshot.totalBytes())
                .setHereBytes(here)
                .setCompleteObjects(complete)
                .setMounted(mounted(snapshot))
                .build();
    }

    /** With what only the list of stored objects tells: pins, last use. */
    SnapshotInfo listed(SnapshotRecord record) {
        Map<ObjectId, StoredObjectInfo> objects = stored();
        boolean pinned = false;
        Instant used = record.resolved();
        for (Entry entry : record.snapshot().entries()) {
            StoredObjectInfo info = objects.get(entry.object());
            if (info != null) {
                pinned |= info.pinned();
                used = info.lastUsed().isAfter(used) ? info.lastUsed() : used;
            }
        }
        return snapshot(record.snapshot()).toBuilder()
                .setPinned(pinned)
                .setLastUsed(Nanos.of(used))
                .setResolved(Nanos.of(record.resolved()))
                .build();
    }

    boolean mounted(Snapshot snapshot) {
        return node.mounts().stream()
                .anyMatch(m -> m.reader().snapshot().digest().equals(snapshot.digest()));
    }

    private Map<ObjectId, StoredObjectInfo> stored() {
        if (stored == null) {
            stored = new HashMap<>();
            node.store().objects().forEach(o -> stored.put(o.object(), o));
        }
        return stored;
    }

    MountInfo mount(LiveMount mount) {
        MountStats stats = mount.stats().get();
        return MountInfo.newBuilder()
                .setId(mount.id())
                .setMountPoint(mount.mountPoint().toString())
                .setSnapshot(snapshot(mount.reader().snapshot()))
                .setReaders(stats.readers())
                .setMode(stats.mode())
                .setTier(tier(mount.reader().snapshot()))
                .setMounted(Nanos.of(mount.mounted()))
                .setReadBytes(stats.readBytes())
                .setOpensPlain(stats.opensPlain())
                .setOpensPassthrough(stats.opensPassthrough())
                .setErrors(stats.errors())
                .build();
    }

    private String tier(Snapshot snapshot) {
        Set<String> tiers = new TreeSet<>();
        for (Entry entry : snapshot.entries()) {
            StoredObjectInfo info = stored().get(entry.object());
            if (info != null) {
                tiers.add(info.tier());
            }
        }
        return String.join(",", tiers);
    }

    /** The tiers that get no writes because their disk fails, for as long as it does. */
    List<ErrorInfo> failingTiers() {
        return node.store().tiers().stream()
                .filter(tier -> !tier.failure().isEmpty())
                .map(tier -> ErrorInfo.newBuilder()
                        .setCode(ErrorCode.CACHE_IO.code())
                        .setMessage("tier " + tier.name() + " in " + tier.directory() + " gets no writes: "
                                + tier.failure())
                        .setRemedy("check the disk; reads go on without it meanwhile")
                        .setRetryable(true)
                        .setTime(Nanos.of(Instant.now()))
                        .setCount(1)
                        .build())
                .toList();
    }

    List<TierInfo> tiers() {
        return node.store().tiers().stream().map(Infos::tier).toList();
    }

    private static TierInfo tier(TierUsage tier) {
        return TierInfo.newBuilder()
                .setName(tier.name())
                .setDirectory(tier.directory().toString())
                .setQuotaBytes(tier.quota())
                .setUsedBytes(tier.used())
                .setRoomBytes(tier.room())
                .setFailure(tier.failure())
                .build();
    }

    MemoryInfo memory() {
        return MemoryInfo.newBuilder()
                .setBudgetBytes(node.engine().options().memory())
                .setReservedBytes(node.engine().reservedBytes())
                .setResidentBytes(residentBytes())
                .build();
    }

    private static long residentBytes() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith("VmRSS:")) {
                    return Long.parseLong(line.replaceAll("\\D", "")) << 10;
                }
            }
            return 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** One line for each origin of a mounted snapshot; the counts are those of the whole node. */
    List<OriginHealth> origins() {
        ReadStats stats = node.engine().stats();
        Set<String> origins = node.mounts().stream()
                .flatMap(m -> m.reader().snapshot().entries().stream().limit(1))
                .map(e -> e.object().origin())
                .collect(Collectors.toCollection(TreeSet::new));
        return origins.stream()
                .map(origin -> {
                    OriginHealth.Builder health = OriginHealth.newBuilder()
                            .setOrigin(origin)
                            .setOk(true)
                            .setRequests(stats.requests())
                            .setReadBytes(stats.originBytes())
                            .setRetries(stats.retries());
                    node.errors().recent().stream()
                            .filter(e -> e.getCode().startsWith("PEN-04"))
                            .findFirst()
                            .ifPresent(e -> health.setOk(false).setLastError(e));
                    return health.build();
                })
                .toList();
    }
}
