package io.penstock.csi.rpc;

import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Runs what calls ask for, each for a bounded time. Work whose time is over goes on, and what it holds stays taken until it
 * ends: the next call for it is refused meanwhile. Logs who asked for what, never with what. Thread-safe.
 */
final class Calls implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Calls.class);

    private final ExecutorService work = Executors.newCachedThreadPool(
            Thread.ofPlatform().daemon().name("call-", 0).factory());
    private final Duration longest;

    Calls(Duration longest) {
        this.longest = longest;
    }

    /** What a call does. */
    @FunctionalInterface
    interface Work<T> {
        T run() throws Exception;
    }

    /**
     * Answers a call.
     *
     * @param what is done to what, for the log
     */
    <T> void answer(StreamObserver<T> out, String what, Work<T> task) {
        answer(out, what, Level.INFO, task);
    }

    /** The same, for calls that come again and again and change nothing. */
    <T> void tell(StreamObserver<T> out, String what, Work<T> task) {
        answer(out, what, Level.DEBUG, task);
    }

    private <T> void answer(StreamObserver<T> out, String what, Level level, Work<T> task) {
        long start = System.nanoTime();
        LOG.trace("{} begins", what);
        T result;
        try {
            result = await(work.submit(task::run));
        } catch (StatusRuntimeException e) {
            LOG.warn(
                    "{}: {} {} ({} ms)",
                    what,
                    e.getStatus().getCode(),
                    e.getStatus().getDescription(),
                    millis(start));
            out.onError(e);
            return;
        }
        LOG.atLevel(level).log("{} ({} ms)", what, millis(start));
        out.onNext(result);
        out.onCompleted();
    }

    private <T> T await(Future<T> future) {
        try {
            return future.get(patience().toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            StatusRuntimeException status = Replies.status(e.getCause());
            if (status.getStatus().getCode() == Status.Code.INTERNAL) {
                LOG.error("a call met a fault", e.getCause());
            }
            throw status;
        } catch (TimeoutException e) {
            LOG.debug("a call goes on beyond its time", e);
            throw Status.DEADLINE_EXCEEDED
                    .withDescription("not done in time; it goes on")
                    .asRuntimeException();
        } catch (InterruptedException e) {
            LOG.debug("a call was interrupted", e);
            throw Status.CANCELLED.withDescription("the driver is ending").asRuntimeException();
        }
    }

    private Duration patience() {
        var deadline = Context.current().getDeadline();
        long left = deadline == null ? Long.MAX_VALUE : deadline.timeRemaining(TimeUnit.NANOSECONDS);
        return Duration.ofNanos(Math.max(0, Math.min(left, longest.toNanos())));
    }

    private static long millis(long start) {
        return (System.nanoTime() - start) / 1_000_000;
    }

    @Override
    public void close() {
        work.shutdown();
    }
}
