package io.penstock.cache.control.server;

import io.penstock.cache.chunk.StoreException;
import io.penstock.cache.chunk.StoredObject;
import io.penstock.cache.chunk.StoredObjectInfo;
import io.penstock.cache.control.v1.CollectGarbageResponse;
import io.penstock.cache.control.v1.GarbageObject;
import io.penstock.cache.control.v1.RemoveResponse;
import io.penstock.cache.control.v1.VerifyProgress;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.model.PenstockException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** Removing, collecting and checking what is stored. */
final class Housekeeping {
    private static final int MOST_NAMED = 1000;

    private final Node node;

    Housekeeping(Node node) {
        this.node = node;
    }

    /** Removes a snapshot, and of its objects those that no other snapshot needs. */
    RemoveResponse remove(String name, boolean dryRun) throws PenstockException {
        SnapshotRecord record = node.find(name);
        Infos infos = new Infos(node);
        if (infos.mounted(record.snapshot())) {
            throw inUse(record, "is mounted", "Unmount it first: penstock unmount.");
        }
        if (node.jobs().uses(record.snapshot())) {
            throw inUse(record, "is being fetched", "Cancel the prefetch, or wait until it is complete.");
        }
        if (infos.listed(record).getPinned()) {
            throw inUse(record, "is pinned", "Take the pin away first.");
        }
        Set<ObjectId> needed = new HashSet<>();
        for (SnapshotRecord other : node.snapshots().all()) {
            if (!other.snapshot().digest().equals(record.snapshot().digest())) {
                other.snapshot().entries().forEach(e -> needed.add(e.object()));
            }
        }
        RemoveResponse.Builder answer = RemoveResponse.newBuilder().setSnapshot(infos.listed(record));
        long freed = 0;
        int objects = 0;
        for (Entry entry : record.snapshot().entries()) {
            long bytes = node.store().storedBytes(entry.object());
            if (needed.contains(entry.object()) || bytes == 0) {
                continue;
            }
            freed += bytes;
            objects++;
            if (!dryRun) {
                node.store().remove(entry.object());
            }
        }
        if (!dryRun) {
            node.snapshots().remove(record.snapshot().digest());
        }
        return answer.setObjects(objects).setFreedBytes(freed).build();
    }

    private static PenstockException inUse(SnapshotRecord record, String how, String remedy) {
        return new PenstockException(
                ErrorCode.IN_USE,
                "snapshot " + record.snapshot().shortId() + " of "
                        + record.snapshot().source() + " " + how,
                remedy);
    }

    /** Frees what no known snapshot needs, then, down to a target, what was not used for longest. */
    CollectGarbageResponse collect(boolean dryRun, long targetUsed) throws PenstockException {
        Set<ObjectId> needed = new HashSet<>();
        node.snapshots().all().forEach(r -> r.snapshot().entries().forEach(e -> needed.add(e.object())));
        List<StoredObjectInfo> candidates = node.store().objects().stream()
                .filter(o -> !o.open() && !o.pinned())
                .sorted(Comparator.comparing((StoredObjectInfo o) -> needed.contains(o.object()))
                        .thenComparing(StoredObjectInfo::lastUsed))
                .toList();
        long used = node.store().tiers().stream().mapToLong(t -> t.used()).sum();
        List<StoredObjectInfo> garbage = new ArrayList<>();
        for (StoredObjectInfo object : candidates) {
            boolean unneeded = !needed.contains(object.object());
            if (unneeded || (targetUsed > 0 && used > targetUsed)) {
                garbage.add(object);
                used -= object.storedBytes();
            }
        }
        CollectGarbageResponse.Builder answer = CollectGarbageResponse.newBuilder();
        long freed = 0;
        int removed = 0;
        for (StoredObjectInfo object : garbage) {
            if (!dryRun && !removed(object.object())) {
                continue;
            }
            freed += object.storedBytes();
            removed++;
            if (answer.getGarbageCount() < MOST_NAMED) {
                answer.addGarbage(GarbageObject.newBuilder()
                        .setObject(object.object().toString())
                        .setBytes(object.storedBytes())
                        .setLastUsed(Nanos.of(object.lastUsed())));
            }
        }
        return answer.setObjects(removed).setFreedBytes(freed).build();
    }

    /** False when somebody has opened it in the meantime. */
    private boolean removed(ObjectId object) throws StoreException {
        try {
            node.store().remove(object);
            return true;
        } catch (StoreException e) {
            if (e.code() == ErrorCode.IN_USE) {
                return false;
            }
            throw e;
        }
    }

    /** Re-reads what is stored; tells after each object. */
    void verify(String name, Consumer<VerifyProgress> listener) throws PenstockException {
        Set<ObjectId> wanted = null;
        if (!name.isEmpty()) {
            wanted = new HashSet<>();
            for (Entry entry : node.find(name).snapshot().entries()) {
                wanted.add(entry.object());
            }
        }
        Set<ObjectId> only = wanted;
        List<StoredObjectInfo> objects = node.store().objects().stream()
                .filter(o -> only == null || only.contains(o.object()))
                .toList();
        VerifyProgress.Builder progress = VerifyProgress.newBuilder()
                .setObjects(objects.size())
                .setBytes(objects.stream()
                        .mapToLong(StoredObjectInfo::storedBytes)
                        .sum());
        for (StoredObjectInfo object : objects) {
            int bad;
            try (StoredObject handle = node.store().open(object.object())) {
                bad = handle.verify().length;
            }
            progress.setVerifiedObjects(progress.getVerifiedObjects() + 1)
                    .setVerifiedBytes(progress.getVerifiedBytes() + object.storedBytes())
                    .setBadChunks(progress.getBadChunks() + bad);
            if (bad > 0) {
                progress.addBadObjects(object.object().toString());
            }
            listener.accept(progress.build());
        }
        listener.accept(progress.setDone(true).build());
    }
}
