package io.penstock.cache.control.server;

import io.grpc.stub.StreamObserver;
import io.penstock.cache.control.v1.ControlGrpc;
import io.penstock.cache.control.v1.ErrorInfo;
import io.penstock.cache.control.v1.GetVersionRequest;
import io.penstock.cache.control.v1.ListSnapshotsRequest;
import io.penstock.cache.control.v1.ListSnapshotsResponse;
import io.penstock.cache.control.v1.PlanSpec;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.control.v1.SnapshotInfo;
import io.penstock.cache.control.v1.StartPrefetchRequest;
import io.penstock.cache.control.v1.VersionInfo;
import io.penstock.cache.control.v1.WatchPrefetchRequest;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.plan.rank.RankPlans.Ranked;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What pods may ask. A guest names a snapshot by its full digest, which it has from its own mount; of others it learns nothing,
 * not even whether they are here. Every other call is answered with UNIMPLEMENTED.
 */
public final class GuestService extends ControlGrpc.ControlImplBase {
    private static final Pattern DIGEST = Pattern.compile("sha256:[0-9a-f]{64}");
    private static final int MOST_JOBS = 64;
    private static final int MOST_RANKS = 64;

    private final Node node;
    private final VersionInfo version;
    /** Guests that want the same share a job. */
    private final Map<Wanted, Job> jobs = new HashMap<>();

    private record Wanted(String digest, PlanSpec plan) {}

    public GuestService(Node node, VersionInfo version) {
        this.node = node;
        this.version = VersionInfo.newBuilder().setVersion(version.getVersion()).build();
    }

    @Override
    public void getVersion(GetVersionRequest request, StreamObserver<VersionInfo> out) {
        ControlService.answer(out, () -> version);
    }

    @Override
    public void listSnapshots(ListSnapshotsRequest request, StreamObserver<ListSnapshotsResponse> out) {
        ControlService.answer(out, () -> {
            LiveMount mount = mounted(request.getSnapshot());
            return ListSnapshotsResponse.newBuilder()
                    .addSnapshots(shown(new Infos(node).snapshot(mount.reader().snapshot())))
                    .build();
        });
    }

    @Override
    public void startPrefetch(StartPrefetchRequest request, StreamObserver<PrefetchJob> out) {
        ControlService.answer(out, () -> {
            check(request);
            return shown(job(mounted(request.getSnapshot()), request).info());
        });
    }

    @Override
    public void watchPrefetch(WatchPrefetchRequest request, StreamObserver<PrefetchJob> out) {
        try {
            String digest = mounted(request.getSnapshot()).reader().snapshot().digest();
            Watching.follow(node.jobs().find(request.getId(), digest), out, GuestService::shown);
        } catch (PenstockException | RuntimeException e) {
            ControlService.refuse(out, e);
        }
    }

    private static void check(StartPrefetchRequest request) throws PenstockException {
        if (request.hasSource()) {
            throw refused("name a source");
        }
        if (request.getPin()) {
            throw refused("pin");
        }
        PlanSpec.PlanCase plan = request.getPlan().getPlanCase();
        if (plan != PlanSpec.PlanCase.NAMED
                && plan != PlanSpec.PlanCase.LAYOUT
                && plan != PlanSpec.PlanCase.PLAN_NOT_SET) {
            throw refused("have a plan of its own");
        }
        if (request.getPlan().getLayout().getRanksCount() > MOST_RANKS) {
            throw refused("have a plan for more than " + MOST_RANKS + " ranks");
        }
        if (request.getPlan().getNamed().equals("trace")) {
            throw refused("have a recorded plan");
        }
    }

    private LiveMount mounted(String digest) throws PenstockException {
        if (!DIGEST.matcher(digest).matches()) {
            throw refused("ask without the full digest of a snapshot");
        }
        return node.mounts().stream()
                .filter(m -> m.reader().snapshot().digest().equals(digest))
                .findFirst()
                .orElseThrow(() -> new PenstockException(
                        ErrorCode.UNKNOWN_SNAPSHOT,
                        "no pod on this node mounts " + digest,
                        "The extended attribute user.penstock.snapshot of a mount is its digest."));
    }

    /** A plan for ranks takes a while, in which other guests are answered. */
    private Job job(LiveMount mount, StartPrefetchRequest request) throws PenstockException {
        Wanted wanted = new Wanted(mount.reader().snapshot().digest(), request.getPlan());
        Optional<Job> running = running(wanted);
        if (running.isPresent()) {
            return running.get();
        }
        Ranked plan = node.plan(
                request.getPlan(),
                mount.reader().snapshot(),
                () -> mount.reader().apart());
        synchronized (this) {
            running = running(wanted);
            if (running.isPresent()) {
                return running.get();
            }
            Job started = node.jobs().start(mount, plan, Math.max(0, request.getBandwidthBytesPerSecond()), false);
            jobs.put(wanted, started);
            return started;
        }
    }

    private synchronized Optional<Job> running(Wanted wanted) throws PenstockException {
        jobs.values().removeIf(job -> !job.running());
        Job running = jobs.get(wanted);
        if (running == null && jobs.size() >= MOST_JOBS) {
            throw new PenstockException(
                    ErrorCode.NOT_READY, jobs.size() + " prefetches run for pods", "Try again.", true, null);
        }
        return Optional.ofNullable(running);
    }

    private static PenstockException refused(String what) {
        return new PenstockException(
                ErrorCode.NOT_PERMITTED,
                "a guest may not " + what,
                "It may have a snapshot fetched that it mounts: docs/SIDECAR.md.");
    }

    /** Nothing of where it comes from. */
    private static SnapshotInfo shown(SnapshotInfo snapshot) {
        return SnapshotInfo.newBuilder()
                .setDigest(snapshot.getDigest())
                .setObjects(snapshot.getObjects())
                .setBytes(snapshot.getBytes())
                .setHereBytes(snapshot.getHereBytes())
                .setCompleteObjects(snapshot.getCompleteObjects())
                .setMounted(true)
                .build();
    }

    private static PrefetchJob shown(PrefetchJob job) {
        PrefetchJob.Builder shown = job.toBuilder().setSnapshot(shown(job.getSnapshot()));
        return (job.hasError() ? shown.setError(shown(job.getError())) : shown).build();
    }

    /** A message names objects and servers. */
    private static ErrorInfo shown(ErrorInfo error) {
        return ErrorInfo.newBuilder()
                .setCode(error.getCode())
                .setMessage(ErrorCode.byCode(error.getCode())
                        .orElse(ErrorCode.INTERNAL)
                        .title())
                .setRemedy("penstock status on the node says more.")
                .setRetryable(error.getRetryable())
                .setTime(error.getTime())
                .setCount(error.getCount())
                .build();
    }
}
