package io.penstock.cache.control.server;

import io.penstock.cache.model.ByteRange;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.source.SourceException;
import io.penstock.cache.source.Transfer;
import io.penstock.cache.source.TransferListener;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Reads one byte of a snapshot from its origin. What lies in the cache was fetched with somebody's credentials; this shows
 * that the ones given now may read it too.
 */
final class Proof {
    private Proof() {}

    static void read(Resolved resolved, Duration patience) throws PenstockException {
        Optional<Entry> some = resolved.snapshot().entries().stream()
                .filter(e -> e.object().size() > 0)
                .findFirst();
        if (some.isEmpty()) {
            return;
        }
        CompletableFuture<Void> end = new CompletableFuture<>();
        // of the collector: an answer may still be written when nobody waits for it any more
        Transfer transfer = resolved.source()
                .read(some.get().object(), new ByteRange(0, 1), Arena.ofAuto().allocate(1), new Listener(end));
        try {
            end.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof SourceException refused) {
                throw refused;
            }
            throw new IllegalStateException(e.getCause());
        } catch (TimeoutException e) {
            transfer.cancel();
            throw new PenstockException(
                    ErrorCode.ORIGIN_TIMEOUT,
                    some.get().object() + " cannot be read within " + patience.toSeconds() + " s",
                    "Try again when the origin answers.",
                    true,
                    e);
        } catch (InterruptedException e) {
            transfer.cancel();
            Thread.currentThread().interrupt();
            throw new PenstockException(ErrorCode.ORIGIN_CANCELLED, "interrupted", "", true, e);
        }
    }

    private record Listener(CompletableFuture<Void> end) implements TransferListener {
        @Override
        public void received(long total) {}

        @Override
        public void completed() {
            end.complete(null);
        }

        @Override
        public void failed(SourceException error) {
            end.completeExceptionally(error);
        }
    }
}
