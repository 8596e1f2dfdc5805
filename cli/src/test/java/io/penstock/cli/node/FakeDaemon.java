package io.penstock.cli.node;

import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.penstock.cache.control.ControlErrors;
import io.penstock.cache.control.StateDirectory;
import io.penstock.cache.control.v1.ChangePrefetchRequest;
import io.penstock.cache.control.v1.CollectGarbageRequest;
import io.penstock.cache.control.v1.CollectGarbageResponse;
import io.penstock.cache.control.v1.ControlGrpc;
import io.penstock.cache.control.v1.ErrorInfo;
import io.penstock.cache.control.v1.GarbageObject;
import io.penstock.cache.control.v1.GetStatusRequest;
import io.penstock.cache.control.v1.ListSnapshotsRequest;
import io.penstock.cache.control.v1.ListSnapshotsResponse;
import io.penstock.cache.control.v1.MemoryInfo;
import io.penstock.cache.control.v1.MountInfo;
import io.penstock.cache.control.v1.NodeStatus;
import io.penstock.cache.control.v1.OriginHealth;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.control.v1.PrefetchPlan;
import io.penstock.cache.control.v1.RemoveRequest;
import io.penstock.cache.control.v1.RemoveResponse;
import io.penstock.cache.control.v1.SnapshotInfo;
import io.penstock.cache.control.v1.StartPrefetchRequest;
import io.penstock.cache.control.v1.TierInfo;
import io.penstock.cache.control.v1.VerifyProgress;
import io.penstock.cache.control.v1.VerifyRequest;
import io.penstock.cache.control.v1.VersionInfo;
import io.penstock.cache.control.v1.WatchPrefetchRequest;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A daemon that answers with fixed values over a real socket, and remembers what it was asked. */
final class FakeDaemon extends ControlGrpc.ControlImplBase implements AutoCloseable {
    static final long GIB = 1L << 30;
    private static final long SECOND = 1_000_000_000L;
    private static final long TIME = 1_780_000_000L * SECOND;

    final List<Object> asked = new ArrayList<>();
    boolean failPrefetch;
    int badChunks;
    private final EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final Server server;

    FakeDaemon(Path stateDirectory) throws IOException {
        Path socket = new StateDirectory(stateDirectory).controlSocket();
        Files.createDirectories(socket.getParent());
        server = NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(socket))
                .channelType(NioServerDomainSocketChannel.class)
                .bossEventLoopGroup(loop)
                .workerEventLoopGroup(loop)
                .directExecutor()
                .addService(this)
                .build()
                .start();
    }

    static SnapshotInfo snapshot(String hex, String source, long gib, long hereGib) {
        return SnapshotInfo.newBuilder()
                .setDigest("sha256:" + hex.repeat(64 / hex.length()))
                .setSource(source)
                .setObjects(30)
                .setCompleteObjects(hereGib == gib ? 30 : 9)
                .setBytes(gib * GIB)
                .setHereBytes(hereGib * GIB)
                .setPinned(hereGib == gib)
                .setLastUsed(TIME)
                .setResolved(TIME)
                .build();
    }

    static final SnapshotInfo LLAMA = snapshot("9f31", "s3://models/llama-70b", 131, 42);
    static final SnapshotInfo QWEN = snapshot("41aa", "s3://m/qwen", 61, 61);

    static PrefetchJob job(PrefetchJob.State state, long gib) {
        return PrefetchJob.newBuilder()
                .setId("p1")
                .setSnapshot(LLAMA)
                .setState(state)
                .setPlannedBytes(131 * GIB)
                .setDoneBytes(gib * GIB)
                .setOriginBytes(gib * GIB)
                .setBytesPerSecond(9 * GIB)
                .setObjects(30)
                .setCompleteObjects(9)
                .setRetries(2)
                .build();
    }

    private <T> void answer(Object request, StreamObserver<T> observer, T answer) {
        asked.add(request);
        observer.onNext(answer);
        observer.onCompleted();
    }

    @Override
    public void getStatus(GetStatusRequest request, StreamObserver<NodeStatus> observer) {
        answer(
                request,
                observer,
                NodeStatus.newBuilder()
                        .setDaemon(VersionInfo.newBuilder()
                                .setVersion("0.3.0")
                                .setPid(4711)
                                .setStarted(TIME))
                        .setKernel("6.12")
                        .setPassthrough(true)
                        .setResend(true)
                        .setHeld(true)
                        .setCacheDirectory("/var/lib/penstock")
                        .addMounts(MountInfo.newBuilder()
                                .setId("m1")
                                .setMountPoint("/mnt/llama")
                                .setSnapshot(LLAMA)
                                .setReaders(2)
                                .setMode("plain")
                                .setTier("nvme")
                                .setMounted(TIME)
                                .setReadBytes(GIB))
                        .addTiers(TierInfo.newBuilder()
                                .setName("nvme")
                                .setDirectory("/var/lib/penstock")
                                .setQuotaBytes(2040 * GIB)
                                .setUsedBytes(812 * GIB)
                                .setRoomBytes(1228 * GIB))
                        .addPrefetches(job(PrefetchJob.State.RUNNING, 42))
                        .addOrigins(OriginHealth.newBuilder()
                                .setOrigin("s3://models")
                                .setOk(true)
                                .setLatencyNanos(21_000_000)
                                .setRequests(100))
                        .addErrors(ErrorInfo.newBuilder()
                                .setCode("PEN-0406")
                                .setMessage("s3://models: 503 SlowDown")
                                .setRemedy("Fetch with a lower --bandwidth.")
                                .setRetryable(true)
                                .setTime(TIME)
                                .setCount(2))
                        .setMemory(MemoryInfo.newBuilder()
                                .setBudgetBytes(GIB)
                                .setReservedBytes(GIB / 2)
                                .setResidentBytes(GIB))
                        .build());
    }

    @Override
    public void listSnapshots(ListSnapshotsRequest request, StreamObserver<ListSnapshotsResponse> observer) {
        answer(
                request,
                observer,
                ListSnapshotsResponse.newBuilder()
                        .addSnapshots(LLAMA)
                        .addSnapshots(QWEN)
                        .build());
    }

    @Override
    public void planPrefetch(StartPrefetchRequest request, StreamObserver<PrefetchPlan> observer) {
        answer(
                request,
                observer,
                PrefetchPlan.newBuilder()
                        .setSnapshot(LLAMA)
                        .setObjects(30)
                        .setRanges(412)
                        .setPlannedBytes(131 * GIB)
                        .setHereBytes(42 * GIB)
                        .setOriginBytes(89 * GIB)
                        .build());
    }

    @Override
    public void startPrefetch(StartPrefetchRequest request, StreamObserver<PrefetchJob> observer) {
        answer(request, observer, job(PrefetchJob.State.RUNNING, 42));
    }

    @Override
    public void watchPrefetch(WatchPrefetchRequest request, StreamObserver<PrefetchJob> observer) {
        asked.add(request);
        observer.onNext(job(PrefetchJob.State.RUNNING, 42));
        observer.onNext(
                failPrefetch
                        ? job(PrefetchJob.State.FAILED, 42).toBuilder()
                                .setError(ErrorInfo.newBuilder()
                                        .setCode("PEN-0302")
                                        .setMessage("the cache lacks 3.0 GiB")
                                        .setRemedy("Remove a snapshot."))
                                .build()
                        : job(PrefetchJob.State.COMPLETE, 131));
        observer.onCompleted();
    }

    @Override
    public void changePrefetch(ChangePrefetchRequest request, StreamObserver<PrefetchJob> observer) {
        answer(request, observer, job(PrefetchJob.State.PAUSED, 42));
    }

    @Override
    public void remove(RemoveRequest request, StreamObserver<RemoveResponse> observer) {
        if (request.getSnapshot().equals("9f31")) {
            observer.onError(ControlErrors.toStatus(new PenstockException(
                    ErrorCode.IN_USE, "snapshot 9f319f is mounted on /mnt/llama", "penstock unmount /mnt/llama")));
            return;
        }
        answer(
                request,
                observer,
                RemoveResponse.newBuilder()
                        .setSnapshot(QWEN)
                        .setObjects(30)
                        .setFreedBytes(61 * GIB)
                        .build());
    }

    @Override
    public void collectGarbage(CollectGarbageRequest request, StreamObserver<CollectGarbageResponse> observer) {
        answer(
                request,
                observer,
                CollectGarbageResponse.newBuilder()
                        .setObjects(1)
                        .setFreedBytes(3 * GIB)
                        .addGarbage(GarbageObject.newBuilder()
                                .setObject("s3://m/old/model.safetensors")
                                .setBytes(3 * GIB)
                                .setLastUsed(TIME))
                        .build());
    }

    @Override
    public void verify(VerifyRequest request, StreamObserver<VerifyProgress> observer) {
        asked.add(request);
        VerifyProgress half = VerifyProgress.newBuilder()
                .setObjects(30)
                .setVerifiedObjects(15)
                .setBytes(131 * GIB)
                .setVerifiedBytes(60 * GIB)
                .build();
        observer.onNext(half);
        VerifyProgress.Builder last = half.toBuilder()
                .setVerifiedObjects(30)
                .setVerifiedBytes(131 * GIB)
                .setDone(true);
        if (badChunks > 0) {
            last.setBadChunks(badChunks).addBadObjects("s3://models/llama-70b/a.safetensors");
        }
        observer.onNext(last.build());
        observer.onCompleted();
    }

    @Override
    public void close() {
        server.shutdownNow();
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }
}
