package io.penstock.operator.node;

import io.grpc.Server;
import io.grpc.ServerCredentials;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.penstock.cache.control.ControlErrors;
import io.penstock.cache.control.v1.ChangePrefetchRequest;
import io.penstock.cache.control.v1.ControlGrpc;
import io.penstock.cache.control.v1.ErrorInfo;
import io.penstock.cache.control.v1.GetStatusRequest;
import io.penstock.cache.control.v1.ListSnapshotsRequest;
import io.penstock.cache.control.v1.ListSnapshotsResponse;
import io.penstock.cache.control.v1.NodeStatus;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.control.v1.RemoveRequest;
import io.penstock.cache.control.v1.RemoveResponse;
import io.penstock.cache.control.v1.ResolveRequest;
import io.penstock.cache.control.v1.SnapshotInfo;
import io.penstock.cache.control.v1.SourceSpec;
import io.penstock.cache.control.v1.StartPrefetchRequest;
import io.penstock.cache.control.v1.TierInfo;
import io.penstock.cache.control.v1.VersionInfo;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** A daemon without bytes, over a real socket: what it holds and does is what the test says. Thread-safe. */
public final class FakeDaemon extends ControlGrpc.ControlImplBase implements AutoCloseable {
    public static final long GIB = 1L << 30;

    /** What an origin has at a location. */
    @FunctionalInterface
    public interface Origin {
        SnapshotInfo resolve(SourceSpec source) throws PenstockException;
    }

    public final List<Object> asked = new CopyOnWriteArrayList<>();
    public volatile String failure = "";
    public volatile String kernel = "6.12.0";
    public volatile long quotaBytes = 2048 * GIB;
    /** What the disk has left for the cache. */
    public volatile long roomBytes = 4096 * GIB;

    public volatile boolean dead;
    public volatile boolean completeAtOnce;
    private volatile Origin origin = source -> snapshot(source.getLocation(), "9f31", 100 * GIB, 0);
    private final Map<String, SnapshotInfo> snapshots = new ConcurrentHashMap<>();
    private final Map<String, PrefetchJob> jobs = new ConcurrentHashMap<>();
    private final List<ErrorInfo> errors = new CopyOnWriteArrayList<>();
    private final EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final Server server;
    private final Path socket;
    private volatile long started = System.nanoTime();
    private int next;

    public FakeDaemon(Path socket) throws IOException {
        this(
                socket,
                NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(socket))
                        .channelType(NioServerDomainSocketChannel.class));
    }

    /** One that is reached as those of other machines are. */
    public FakeDaemon(InetSocketAddress address, ServerCredentials credentials) throws IOException {
        this(
                Path.of(""),
                NettyServerBuilder.forAddress(address, credentials).channelType(NioServerSocketChannel.class));
    }

    private FakeDaemon(Path socket, NettyServerBuilder builder) throws IOException {
        this.socket = socket;
        server = builder.bossEventLoopGroup(loop)
                .workerEventLoopGroup(loop)
                .directExecutor()
                .addService(this)
                .build()
                .start();
    }

    public Path socket() {
        return socket;
    }

    /** As it would be found on a node. */
    public Daemon on(String runtime, String node) {
        return new Daemon(runtime, node, node + "-pod", InetSocketAddress.createUnresolved("127.0.0.1", 9810));
    }

    public static SnapshotInfo snapshot(String source, String hex, long bytes, long here) {
        return SnapshotInfo.newBuilder()
                .setDigest("sha256:" + hex.repeat(64 / hex.length()))
                .setSource(source)
                .setObjects(30)
                .setBytes(bytes)
                .setHereBytes(here)
                .build();
    }

    public void origin(Origin now) {
        origin = now;
    }

    public void hold(SnapshotInfo snapshot) {
        snapshots.put(snapshot.getDigest(), snapshot);
    }

    public Map<String, SnapshotInfo> snapshots() {
        return new TreeMap<>(snapshots);
    }

    public List<PrefetchJob> jobs() {
        return List.copyOf(new TreeMap<>(jobs).values());
    }

    /** Every running job has fetched so much more. */
    public synchronized void fetch(long bytes) {
        jobs.replaceAll((id, job) -> {
            if (job.getState() != PrefetchJob.State.RUNNING) {
                return job;
            }
            long done = Math.min(job.getPlannedBytes(), job.getDoneBytes() + bytes);
            SnapshotInfo held = snapshots.get(job.getSnapshot().getDigest()).toBuilder()
                    .setHereBytes(done)
                    .build();
            hold(held);
            return job.toBuilder()
                    .setSnapshot(held)
                    .setDoneBytes(done)
                    .setBytesPerSecond(GIB)
                    .setState(done == job.getPlannedBytes() ? PrefetchJob.State.COMPLETE : PrefetchJob.State.RUNNING)
                    .build();
        });
    }

    /** Something that {@code penstock status} on the node would show, newest first. */
    public void complain(ErrorCode code, String message) {
        errors.addFirst(ErrorInfo.newBuilder()
                .setCode(code.code())
                .setMessage(message)
                .setTime(System.nanoTime())
                .build());
    }

    /** Every running job ends with this error. */
    public synchronized void fail(ErrorCode code, String message) {
        jobs.replaceAll((id, job) -> job.getState() != PrefetchJob.State.RUNNING
                ? job
                : job.toBuilder()
                        .setState(PrefetchJob.State.FAILED)
                        .setError(io.penstock.cache.control.v1.ErrorInfo.newBuilder()
                                .setCode(code.code())
                                .setMessage(message))
                        .build());
    }

    /** Another process in its place: what is stored is there, jobs are not. */
    public synchronized void restart() {
        jobs.clear();
        next = 0;
        started = System.nanoTime();
    }

    private interface Answer<T> {
        T give() throws PenstockException;
    }

    private <T> void answer(Object request, StreamObserver<T> observer, Answer<T> answer) {
        asked.add(request);
        try {
            if (dead) {
                throw new PenstockException(ErrorCode.NO_DAEMON, "no daemon answers", "Look at its pod.", true, null);
            }
            T given = answer.give();
            observer.onNext(given);
            observer.onCompleted();
        } catch (PenstockException | RuntimeException e) {
            observer.onError(ControlErrors.toStatus(e));
        }
    }

    @Override
    public void getStatus(GetStatusRequest request, StreamObserver<NodeStatus> observer) {
        answer(
                request,
                observer,
                () -> NodeStatus.newBuilder()
                        .setDaemon(VersionInfo.newBuilder().setVersion("0.3.0").setStarted(started))
                        .setKernel(kernel)
                        .setPassthrough(true)
                        .setCacheDirectory("/var/lib/penstock")
                        .addTiers(TierInfo.newBuilder()
                                .setName("disk")
                                .setDirectory("/var/lib/penstock")
                                .setQuotaBytes(quotaBytes)
                                .setRoomBytes(roomBytes)
                                .setFailure(failure))
                        .addAllErrors(errors)
                        .addAllPrefetches(jobs.values())
                        .build());
    }

    @Override
    public void listSnapshots(ListSnapshotsRequest request, StreamObserver<ListSnapshotsResponse> observer) {
        answer(
                request,
                observer,
                () -> ListSnapshotsResponse.newBuilder()
                        .addAllSnapshots(snapshots.values())
                        .build());
    }

    @Override
    public void resolve(ResolveRequest request, StreamObserver<SnapshotInfo> observer) {
        answer(request, observer, () -> {
            SnapshotInfo found = origin.resolve(request.getSource());
            return snapshots.computeIfAbsent(found.getDigest(), d -> found);
        });
    }

    @Override
    public synchronized void startPrefetch(StartPrefetchRequest request, StreamObserver<PrefetchJob> observer) {
        answer(request, observer, () -> {
            SnapshotInfo snapshot = snapshots.get(request.getSnapshot());
            if (snapshot == null) {
                if (!request.getSnapshot().isEmpty()) {
                    throw new PenstockException(ErrorCode.UNKNOWN_SNAPSHOT, "no snapshot " + request.getSnapshot(), "");
                }
                SnapshotInfo found = origin.resolve(request.getSource());
                snapshot = snapshots.computeIfAbsent(found.getDigest(), d -> found);
            }
            if (completeAtOnce) {
                snapshot =
                        snapshot.toBuilder().setHereBytes(snapshot.getBytes()).build();
                hold(snapshot);
            }
            boolean complete = snapshot.getHereBytes() == snapshot.getBytes();
            PrefetchJob job = PrefetchJob.newBuilder()
                    .setId("p" + ++next)
                    .setSnapshot(snapshot)
                    .setPlannedBytes(snapshot.getBytes())
                    .setDoneBytes(snapshot.getHereBytes())
                    .setState(complete ? PrefetchJob.State.COMPLETE : PrefetchJob.State.RUNNING)
                    .build();
            jobs.put(job.getId(), job);
            return job;
        });
    }

    @Override
    public synchronized void changePrefetch(ChangePrefetchRequest request, StreamObserver<PrefetchJob> observer) {
        answer(request, observer, () -> {
            PrefetchJob job = jobs.get(request.getId());
            if (job == null) {
                throw new PenstockException(ErrorCode.USAGE, "there is no prefetch " + request.getId(), "");
            }
            PrefetchJob.State state = switch (request.getAction()) {
                case PAUSE -> PrefetchJob.State.PAUSED;
                case CANCEL -> PrefetchJob.State.CANCELLED;
                default -> PrefetchJob.State.RUNNING;
            };
            PrefetchJob changed = job.toBuilder().setState(state).build();
            jobs.put(job.getId(), changed);
            return changed;
        });
    }

    @Override
    public void remove(RemoveRequest request, StreamObserver<RemoveResponse> observer) {
        answer(request, observer, () -> {
            SnapshotInfo gone = snapshots.remove(request.getSnapshot());
            if (gone == null) {
                throw new PenstockException(ErrorCode.UNKNOWN_SNAPSHOT, "no snapshot " + request.getSnapshot(), "");
            }
            return RemoveResponse.newBuilder()
                    .setSnapshot(gone)
                    .setFreedBytes(gone.getHereBytes())
                    .build();
        });
    }

    @Override
    public void close() {
        server.shutdownNow();
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }
}
