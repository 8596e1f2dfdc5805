package io.penstock.cache.control.server;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.time.Duration;
import java.util.function.UnaryOperator;

/** Tells one watcher of a job: now, after each change, at its end. */
final class Watching {
    private static final Duration INTERVAL = Duration.ofMillis(250);

    private Watching() {}

    /**
     * Returns when the job has ended, or nobody listens any more.
     *
     * @param shown what of it is told
     */
    static void follow(Job job, StreamObserver<PrefetchJob> out, UnaryOperator<PrefetchJob> shown)
            throws PenstockException {
        ServerCallStreamObserver<PrefetchJob> call = (ServerCallStreamObserver<PrefetchJob>) out;
        PrefetchJob last = null;
        try {
            while (!call.isCancelled()) {
                boolean ended = !job.running();
                PrefetchJob now = shown.apply(job.info());
                if (!now.equals(last)) {
                    call.onNext(now);
                    last = now;
                }
                if (ended || job.work().await(INTERVAL)) {
                    if (!ended) {
                        call.onNext(shown.apply(job.info()));
                    }
                    call.onCompleted();
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PenstockException(ErrorCode.NO_DAEMON, "the daemon is ending", "", true, e);
        }
    }
}
