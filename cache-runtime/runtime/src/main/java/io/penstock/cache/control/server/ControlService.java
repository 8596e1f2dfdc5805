package io.penstock.cache.control.server;

import io.grpc.stub.StreamObserver;
import io.penstock.cache.control.ControlErrors;
import io.penstock.cache.control.v1.ChangePrefetchRequest;
import io.penstock.cache.control.v1.CollectGarbageRequest;
import io.penstock.cache.control.v1.CollectGarbageResponse;
import io.penstock.cache.control.v1.ControlGrpc;
import io.penstock.cache.control.v1.GetStatusRequest;
import io.penstock.cache.control.v1.GetVersionRequest;
import io.penstock.cache.control.v1.ListSnapshotsRequest;
import io.penstock.cache.control.v1.ListSnapshotsResponse;
import io.penstock.cache.control.v1.NodeStatus;
import io.penstock.cache.control.v1.PinRequest;
import io.penstock.cache.control.v1.PinResponse;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.control.v1.PrefetchPlan;
import io.penstock.cache.control.v1.RemoveRequest;
import io.penstock.cache.control.v1.RemoveResponse;
import io.penstock.cache.control.v1.ResolveRequest;
import io.penstock.cache.control.v1.SetLogLevelRequest;
import io.penstock.cache.control.v1.SetLogLevelResponse;
import io.penstock.cache.control.v1.SnapshotInfo;
import io.penstock.cache.control.v1.StartPrefetchRequest;
import io.penstock.cache.control.v1.VerifyProgress;
import io.penstock.cache.control.v1.VerifyRequest;
import io.penstock.cache.control.v1.VersionInfo;
import io.penstock.cache.control.v1.WatchPrefetchRequest;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.model.Snapshot;
import io.penstock.cache.plan.Plan;
import io.penstock.cache.plan.rank.RankPlans.Ranked;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers the control API. Every call runs on a thread of its own and may block. */
public final class ControlService extends ControlGrpc.ControlImplBase {
    private static final Logger LOG = LoggerFactory.getLogger(ControlService.class);

    private final Node node;
    private final VersionInfo version;
    private final UnaryOperator<NodeStatus.Builder> process;
    private final BinaryOperator<String> logLevel;

    /**
     * @param process adds to a status what only the process knows: kernel, holder, take-overs
     * @param logLevel sets the level of a logger and gives the one until now
     */
    public ControlService(
            Node node,
            VersionInfo version,
            UnaryOperator<NodeStatus.Builder> process,
            BinaryOperator<String> logLevel) {
        this.node = node;
        this.version = version;
        this.process = process;
        this.logLevel = logLevel;
    }

    interface Call<T> {
        T answer() throws PenstockException;
    }

    static <T> void answer(StreamObserver<T> out, Call<T> call) {
        T result;
        try {
            result = call.answer();
        } catch (PenstockException | RuntimeException e) {
            refuse(out, e);
            return;
        }
        out.onNext(result);
        out.onCompleted();
    }

    static void refuse(StreamObserver<?> out, Exception e) {
        if (e instanceof RuntimeException) {
            LOG.error("a request met a fault of ours", e);
        }
        out.onError(ControlErrors.toStatus(e));
    }

    @Override
    public void getVersion(GetVersionRequest request, StreamObserver<VersionInfo> out) {
        answer(out, () -> version);
    }

    @Override
    public void getStatus(GetStatusRequest request, StreamObserver<NodeStatus> out) {
        answer(out, () -> {
            Infos infos = new Infos(node);
            NodeStatus.Builder status = NodeStatus.newBuilder()
                    .setDaemon(version)
                    .addAllTiers(infos.tiers())
                    .addAllOrigins(infos.origins())
                    .addAllErrors(infos.failingTiers())
                    .addAllErrors(node.errors().recent())
                    .setMemory(infos.memory())
                    .setCacheDirectory(node.options().directory().toString());
            node.mounts().forEach(m -> status.addMounts(infos.mount(m)));
            node.jobs().all().forEach(j -> status.addPrefetches(j.info()));
            return process.apply(status).build();
        });
    }

    @Override
    public void listSnapshots(ListSnapshotsRequest request, StreamObserver<ListSnapshotsResponse> out) {
        answer(out, () -> {
            Infos infos = new Infos(node);
            ListSnapshotsResponse.Builder all = ListSnapshotsResponse.newBuilder();
            if (request.getSnapshot().isEmpty()) {
                node.snapshots().all().forEach(r -> all.addSnapshots(infos.listed(r)));
            } else {
                all.addSnapshots(infos.listed(node.find(request.getSnapshot())));
            }
            return all.build();
        });
    }

    @Override
    public void resolve(ResolveRequest request, StreamObserver<SnapshotInfo> out) {
        answer(out, () -> {
            Resolved resolved = resolve(request.getSource());
            resolved.source().close();
            return new Infos(node).listed(node.find(resolved.snapshot().digest()));
        });
    }

    @Override
    public void planPrefetch(StartPrefetchRequest request, StreamObserver<PrefetchPlan> out) {
        answer(out, () -> {
            if (request.getSnapshot().isEmpty()) {
                Resolved resolved = resolve(request.getSource());
                try {
                    return planned(resolved.snapshot(), plan(request, resolved));
                } finally {
                    resolved.source().close();
                }
            }
            if (!request.getPlan().hasLayout()) {
                Snapshot snapshot = node.find(request.getSnapshot()).snapshot();
                return planned(snapshot, node.plan(request.getPlan(), snapshot, () -> {
                    throw new IllegalStateException("only layouts are read for");
                }));
            }
            Optional<LiveMount> mount = node.serving(request.getSnapshot());
            if (mount.isPresent()) {
                return planned(mount.get().reader().snapshot(), plan(request, mount.get()));
            }
            Resolved resolved = prefetchSource(request);
            try {
                return planned(resolved.snapshot(), plan(request, resolved));
            } finally {
                resolved.source().close();
            }
        });
    }

    private PrefetchPlan planned(Snapshot snapshot, Ranked what) {
        Plan plan = what.plan();
        Map<ObjectId, TreeMap<Long, Long>> ranges = new HashMap<>();
        for (Plan.Item item : plan.items()) {
            ranges.computeIfAbsent(item.entry().object(), o -> new TreeMap<>())
                    .merge(item.range().offset(), item.range().end(), Math::max);
        }
        long planned = ranges.values().stream().mapToLong(ControlService::union).sum();
        long here = plan.entries().stream()
                .mapToLong(e -> Math.min(node.store().storedBytes(e.object()), union(ranges.get(e.object()))))
                .sum();
        return PrefetchPlan.newBuilder()
                .setSnapshot(new Infos(node).snapshot(snapshot))
                .setObjects(plan.entries().size())
                .setRanges(plan.items().size())
                .setPlannedBytes(planned)
                .setHereBytes(here)
                .setOriginBytes(planned - here)
                .addAllNotes(what.notes())
                .build();
    }

    private static long union(SortedMap<Long, Long> ranges) {
        long sum = 0;
        long end = 0;
        for (Map.Entry<Long, Long> range : ranges.entrySet()) {
            long from = Math.max(range.getKey(), end);
            end = Math.max(end, range.getValue());
            sum += Math.max(0, end - from);
        }
        return sum;
    }

    @Override
    public void startPrefetch(StartPrefetchRequest request, StreamObserver<PrefetchJob> out) {
        answer(out, () -> {
            Optional<LiveMount> mount = request.getSource().getLocation().isEmpty()
                    ? node.serving(request.getSnapshot())
                    : Optional.empty();
            if (mount.isPresent()) {
                Ranked all = plan(request, mount.get());
                return node.jobs()
                        .start(mount.get(), all, request.getBandwidthBytesPerSecond(), request.getPin())
                        .info();
            }
            Resolved resolved = prefetchSource(request);
            Ranked plan;
            try {
                plan = plan(request, resolved);
            } catch (PenstockException | RuntimeException e) {
                resolved.source().close();
                throw e;
            }
            return node.jobs()
                    .start(resolved, plan, request.getBandwidthBytesPerSecond(), request.getPin())
                    .info();
        });
    }

    private Resolved prefetchSource(StartPrefetchRequest request) throws PenstockException {
        if (request.getSnapshot().isEmpty()) {
            return resolve(request.getSource());
        }
        Snapshot snapshot = node.find(request.getSnapshot()).snapshot();
        String location = request.getSource().getLocation().isEmpty()
                ? snapshot.source()
                : request.getSource().getLocation();
        return node.reopen(
                snapshot.digest(),
                location,
                request.getSource().getSettingsMap(),
                request.getSource().getEnvironmentMap());
    }

    private Resolved resolve(io.penstock.cache.control.v1.SourceSpec source) throws PenstockException {
        if (source.getLocation().isEmpty()) {
            throw new PenstockException(
                    ErrorCode.BAD_LOCATION, "no location is named", "Name one: s3://bucket/prefix.");
        }
        return node.resolve(
                source.getLocation(),
                source.getSettingsMap(),
                source.getEnvironmentMap(),
                source.getOffline(),
                source.getProve(),
                "");
    }

    private Ranked plan(StartPrefetchRequest request, LiveMount mount) throws PenstockException {
        return node.plan(
                request.getPlan(),
                mount.reader().snapshot(),
                () -> mount.reader().apart());
    }

    private Ranked plan(StartPrefetchRequest request, Resolved resolved) throws PenstockException {
        return node.plan(request.getPlan(), resolved.snapshot(), () -> node.prefetchReader(resolved));
    }

    @Override
    public void watchPrefetch(WatchPrefetchRequest request, StreamObserver<PrefetchJob> out) {
        try {
            Watching.follow(node.jobs().find(request.getId(), request.getSnapshot()), out, UnaryOperator.identity());
        } catch (PenstockException | RuntimeException e) {
            refuse(out, e);
        }
    }

    @Override
    public void changePrefetch(ChangePrefetchRequest request, StreamObserver<PrefetchJob> out) {
        answer(out, () -> {
            Job job = node.jobs().find(request.getId());
            switch (request.getAction()) {
                case PAUSE -> job.work().pause();
                case RESUME -> job.work().resume();
                case CANCEL -> job.work().cancel();
                default ->
                    throw new PenstockException(
                            ErrorCode.USAGE, "no known change is asked for", "It is one of pause, resume, cancel.");
            }
            return job.info();
        });
    }

    @Override
    public void remove(RemoveRequest request, StreamObserver<RemoveResponse> out) {
        answer(out, () -> new Housekeeping(node).remove(request.getSnapshot(), request.getDryRun()));
    }

    @Override
    public void collectGarbage(CollectGarbageRequest request, StreamObserver<CollectGarbageResponse> out) {
        answer(out, () -> new Housekeeping(node).collect(request.getDryRun(), request.getTargetUsedBytes()));
    }

    @Override
    public void verify(VerifyRequest request, StreamObserver<VerifyProgress> out) {
        try {
            new Housekeeping(node).verify(request.getSnapshot(), out::onNext);
            out.onCompleted();
        } catch (PenstockException | RuntimeException e) {
            refuse(out, e);
        }
    }

    @Override
    public void pin(PinRequest request, StreamObserver<PinResponse> out) {
        answer(out, () -> {
            SnapshotRecord record = node.find(request.getSnapshot());
            node.jobs().pin(record.snapshot(), request.getPinned());
            return PinResponse.newBuilder()
                    .setSnapshot(new Infos(node).listed(record))
                    .build();
        });
    }

    @Override
    public void setLogLevel(SetLogLevelRequest request, StreamObserver<SetLogLevelResponse> out) {
        answer(
                out,
                () -> SetLogLevelResponse.newBuilder()
                        .setPrevious(logLevel.apply(request.getLogger(), request.getLevel()))
                        .build());
    }
}
