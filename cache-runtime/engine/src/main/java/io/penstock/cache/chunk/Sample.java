package io.penstock.cache.chunk;

import io.penstock.cache.model.ObjectId;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Checks some chunks after the start; when one is bad, all of its object. */
final class Sample {
    private static final Logger LOG = LoggerFactory.getLogger(Sample.class);

    private final DiskChunkStore store;
    private final int chunks;

    Sample(DiskChunkStore store, int chunks) {
        this.store = store;
        this.chunks = chunks;
    }

    void run() {
        List<StoredObjectInfo> infos =
                store.objects().stream().filter(info -> info.storedBytes() > 0).toList();
        long total = infos.stream().mapToLong(StoredObjectInfo::storedBytes).sum();
        ThreadLocalRandom random = ThreadLocalRandom.current();
        for (int i = 0; i < chunks && total > 0 && !store.closed(); i++) {
            long at = random.nextLong(total);
            for (StoredObjectInfo info : infos) {
                at -= info.storedBytes();
                if (at < 0) {
                    check(info.object(), random);
                    break;
                }
            }
        }
    }

    private void check(ObjectId object, ThreadLocalRandom random) {
        try {
            OpenObject held = store.hold(object);
            try {
                if (!held.verifyOneFrom(random.nextInt(held.chunks()))) {
                    LOG.warn("{} of {} chunks of {} are bad", held.verify().length + 1, held.chunks(), object);
                }
            } finally {
                held.release();
            }
        } catch (StoreException e) {
            LOG.warn("{} could not be checked", object, e);
        }
    }
}
