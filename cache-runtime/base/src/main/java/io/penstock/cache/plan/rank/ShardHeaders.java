package io.penstock.cache.plan.rank;

import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.plan.Planner;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * What the headers of a model's shards say.
 *
 * @param ends of each shard's header, by path
 */
record ShardHeaders(List<Tensor> tensors, Map<String, Long> ends) {
    /** Bytes of all headers together. */
    private static final int LARGEST = 64 << 20;

    private static final int MOST_TENSORS = 400_000;
    /** So many runs of bytes may single tensors make; no model that is known makes any. */
    private static final long MOST_RUNS = 100_000;

    private static final int AT_A_TIME = 16;

    /** @throws PenstockException one of them cannot be used, or cannot be read */
    static ShardHeaders read(List<Entry> shards, RankPlans.Bytes bytes) throws IOException {
        List<Tensor> tensors = new ArrayList<>();
        Map<String, Long> ends = new HashMap<>();
        long all = 0;
        long runs = 0;
        try (ExecutorService readers = Executors.newFixedThreadPool(
                Math.min(AT_A_TIME, shards.size()),
                Thread.ofPlatform().daemon().name("headers-", 0).factory())) {
            for (int from = 0; from < shards.size(); from += AT_A_TIME) {
                List<Entry> some = shards.subList(from, Math.min(shards.size(), from + AT_A_TIME));
                List<Future<byte[]>> begins = some.stream()
                        .map(e -> readers.submit(() -> bytes.read(e, 0, (int) Math.min(Planner.HEADER, size(e)))))
                        .toList();
                for (int i = 0; i < some.size(); i++) {
                    byte[] header = header(some.get(i), await(begins.get(i)), LARGEST - all, bytes);
                    all += header.length;
                    String path = some.get(i).path();
                    List<Tensor> own =
                            TensorHeader.parse(header, path, size(some.get(i)), MOST_TENSORS - tensors.size());
                    runs += own.stream().mapToLong(ShardHeaders::runs).sum();
                    if (runs > MOST_RUNS) {
                        throw TensorHeader.refused(path, "its rows are longer than those of any model");
                    }
                    tensors.addAll(own);
                    ends.put(path, 8L + header.length);
                }
            }
        }
        return new ShardHeaders(tensors, ends);
    }

    private static long size(Entry entry) {
        return entry.object().size();
    }

    private static byte[] header(Entry shard, byte[] begin, long most, RankPlans.Bytes bytes) throws IOException {
        long length = begin.length < 8
                ? -1
                : ByteBuffer.wrap(begin).order(ByteOrder.LITTLE_ENDIAN).getLong();
        if (length < 2 || length > size(shard) - 8 || length > most) {
            throw TensorHeader.refused(shard.path(), "its header has no usual length");
        }
        int end = 8 + (int) length;
        byte[] header = Arrays.copyOfRange(begin, 8, end);
        if (end > begin.length) {
            byte[] rest = bytes.read(shard, begin.length, end - begin.length);
            System.arraycopy(rest, 0, header, begin.length - 8, rest.length);
        }
        return header;
    }

    private static byte[] await(Future<byte[]> read) throws IOException {
        try {
            return read.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException failed) {
                throw failed;
            }
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PenstockException(ErrorCode.ORIGIN_CANCELLED, "interrupted", "", true, e);
        }
    }

    /** That a slice of columns may be. */
    private static long runs(Tensor tensor) {
        long rows = tensor.shape().isEmpty() ? 0 : tensor.shape().getFirst();
        return rows > 0 && tensor.length() / rows > Share.GAP ? rows : 0;
    }
}
