package io.penstock.bench.checkpoint;

import io.penstock.bench.generated.GeneratedObject;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A shard of a checkpoint that is never written. */
final class GeneratedShard implements GeneratedObject {
    private record Placed(TensorBytes bytes, long begin) {}

    private final Shard shard;
    private final TreeMap<Long, Placed> placed = new TreeMap<>();

    GeneratedShard(Shard shard, long seed) {
        this.shard = shard;
        long at = shard.header().remaining();
        for (TensorSpec tensor : shard.tensors()) {
            placed.put(at, new Placed(new TensorBytes(seed, tensor.name()), at));
            at += tensor.bytes();
        }
    }

    @Override
    public long size() {
        return shard.bytes();
    }

    @Override
    public void read(ByteBuffer into, long offset) {
        long at = offset;
        int limit = into.limit();
        if (at < shard.header().remaining()) {
            int length = (int) Math.min(into.remaining(), shard.header().remaining() - at);
            into.put(shard.header().slice((int) at, length));
            at += length;
        }
        while (into.hasRemaining()) {
            Placed tensor = placed.floorEntry(at).getValue();
            Map.Entry<Long, Placed> next = placed.higherEntry(at);
            long end = next == null ? size() : next.getKey();
            int length = (int) Math.min(into.remaining(), end - at);
            into.limit(into.position() + length);
            tensor.bytes().fill(into, at - tensor.begin());
            into.limit(limit);
            at += length;
        }
    }

    /** All shards of {@code checkpoint} by name. */
    static Map<String, GeneratedObject> all(Checkpoint checkpoint) {
        Map<String, GeneratedObject> objects = new TreeMap<>();
        List<Shard> shards = new ArrayList<>(checkpoint.shards());
        shards.forEach(shard -> objects.put(shard.name(), new GeneratedShard(shard, checkpoint.seed())));
        return objects;
    }
}
