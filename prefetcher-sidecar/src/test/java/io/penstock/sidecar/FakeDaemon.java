package io.penstock.sidecar;

import io.grpc.stub.StreamObserver;
import io.penstock.cache.control.ControlErrors;
import io.penstock.cache.control.rpc.RpcOptions;
import io.penstock.cache.control.rpc.RpcServer;
import io.penstock.cache.control.v1.ControlGrpc;
import io.penstock.cache.control.v1.ErrorInfo;
import io.penstock.cache.control.v1.PlanSpec;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.control.v1.StartPrefetchRequest;
import io.penstock.cache.control.v1.WatchPrefetchRequest;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** A node's daemon as guests see it; its prefetch goes as far as the test says. */
final class FakeDaemon extends ControlGrpc.ControlImplBase implements AutoCloseable {
    static final long PLANNED = 1000;

    private final BlockingQueue<PrefetchJob> steps = new LinkedBlockingQueue<>();
    private final AtomicInteger started = new AtomicInteger();
    private final AtomicInteger toLose = new AtomicInteger();
    private final Set<String> jobs = ConcurrentHashMap.newKeySet();
    private final Path socket;
    private RpcServer server;
    private volatile PenstockException refusal;
    private volatile String asked = "";
    private volatile PlanSpec plan = PlanSpec.getDefaultInstance();
    private volatile boolean noLayouts;

    FakeDaemon(Path socket) throws IOException {
        this.socket = socket;
        begin();
    }

    /** Listens, as one that knows of no job. */
    void begin() throws IOException {
        jobs.clear();
        server = RpcServer.onOpenSocket(socket, new RpcOptions("fake", 1 << 16, 8, 8), this);
    }

    /** Is replaced after each of so many starts, before the job is watched. */
    void lose(int starts) {
        toLose.set(starts);
    }

    /** Refuses every start from now on. */
    void refuse(ErrorCode code) {
        refusal = new PenstockException(code, "refused", "");
    }

    void reach(long bytes) {
        steps.add(job(PrefetchJob.State.RUNNING, bytes).build());
    }

    void complete() {
        steps.add(job(PrefetchJob.State.COMPLETE, PLANNED).build());
    }

    void fail(ErrorCode code, boolean retryable) {
        steps.add(job(PrefetchJob.State.FAILED, 10)
                .setError(ErrorInfo.newBuilder()
                        .setCode(code.code())
                        .setMessage("it failed")
                        .setRetryable(retryable))
                .build());
    }

    int started() {
        return started.get();
    }

    /** Digest that was asked for last. */
    String asked() {
        return asked;
    }

    /** Refuses plans for ranks from now on. */
    void refuseLayouts() {
        noLayouts = true;
    }

    /** That was asked for last. */
    PlanSpec plan() {
        return plan;
    }

    private static PrefetchJob.Builder job(PrefetchJob.State state, long bytes) {
        return PrefetchJob.newBuilder()
                .setId("p1")
                .setState(state)
                .setPlannedBytes(PLANNED)
                .setDoneBytes(bytes);
    }

    @Override
    public void startPrefetch(StartPrefetchRequest request, StreamObserver<PrefetchJob> out) {
        if (refusal != null) {
            out.onError(ControlErrors.toStatus(refusal));
            return;
        }
        if (noLayouts && request.getPlan().hasLayout()) {
            out.onError(ControlErrors.toStatus(new PenstockException(ErrorCode.USAGE, "no such layout", "")));
            return;
        }
        plan = request.getPlan();
        asked = request.getSnapshot();
        String id = "p" + started.incrementAndGet();
        if (toLose.getAndUpdate(n -> Math.max(0, n - 1)) == 0) {
            jobs.add(id);
        }
        out.onNext(job(PrefetchJob.State.RUNNING, 0).setId(id).build());
        out.onCompleted();
    }

    @Override
    public void watchPrefetch(WatchPrefetchRequest request, StreamObserver<PrefetchJob> out) {
        if (!jobs.contains(request.getId())) {
            out.onError(ControlErrors.toStatus(
                    new PenstockException(ErrorCode.USAGE, "there is no prefetch " + request.getId(), "")));
            return;
        }
        try {
            PrefetchJob step;
            do {
                step = steps.take();
                out.onNext(step);
            } while (step.getState() == PrefetchJob.State.RUNNING);
            out.onCompleted();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        server.close();
    }
}
