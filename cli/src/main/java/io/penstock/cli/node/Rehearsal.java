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
import io.penstock.cache.control.v1.ControlGrpc;
import io.penstock.cache.control.v1.GetStatusRequest;
import io.penstock.cache.control.v1.ListSnapshotsRequest;
import io.penstock.cache.control.v1.ListSnapshotsResponse;
import io.penstock.cache.control.v1.MountInfo;
import io.penstock.cache.control.v1.NodeStatus;
import io.penstock.cache.control.v1.OriginHealth;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.control.v1.RemoveRequest;
import io.penstock.cache.control.v1.RemoveResponse;
import io.penstock.cache.control.v1.SnapshotInfo;
import io.penstock.cache.control.v1.StartPrefetchRequest;
import io.penstock.cache.control.v1.TierInfo;
import io.penstock.cache.control.v1.VerifyProgress;
import io.penstock.cache.control.v1.VerifyRequest;
import io.penstock.cache.control.v1.WatchPrefetchRequest;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A control API without a daemon behind it, for the training run of the client commands. */
public final class Rehearsal extends ControlGrpc.ControlImplBase implements AutoCloseable {
    private static final SnapshotInfo SNAPSHOT = SnapshotInfo.newBuilder()
            .setDigest("sha256:" + "0".repeat(64))
            .setSource("s3://a/b")
            .setBytes(1 << 30)
            .build();

    private final Path directory;
    private final EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final Server server;

    private Rehearsal(Path directory) throws IOException {
        this.directory = directory;
        Path socket = new StateDirectory(directory).controlSocket();
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

    /** In a new directory. */
    public static Rehearsal start() throws IOException {
        return new Rehearsal(Files.createTempDirectory("penstock-"));
    }

    public Path stateDirectory() {
        return directory;
    }

    @Override
    public void getStatus(GetStatusRequest request, StreamObserver<NodeStatus> observer) {
        observer.onNext(NodeStatus.newBuilder()
                .setHeld(true)
                .addMounts(MountInfo.newBuilder().setMountPoint("/").setSnapshot(SNAPSHOT))
                .addTiers(TierInfo.newBuilder().setName("disk"))
                .addOrigins(OriginHealth.newBuilder().setOrigin("s3://a").setOk(true))
                .addPrefetches(job(PrefetchJob.State.RUNNING))
                .build());
        observer.onCompleted();
    }

    @Override
    public void listSnapshots(ListSnapshotsRequest request, StreamObserver<ListSnapshotsResponse> observer) {
        observer.onNext(
                ListSnapshotsResponse.newBuilder().addSnapshots(SNAPSHOT).build());
        observer.onCompleted();
    }

    @Override
    public void startPrefetch(StartPrefetchRequest request, StreamObserver<PrefetchJob> observer) {
        observer.onNext(job(PrefetchJob.State.RUNNING));
        observer.onCompleted();
    }

    @Override
    public void watchPrefetch(WatchPrefetchRequest request, StreamObserver<PrefetchJob> observer) {
        observer.onNext(job(PrefetchJob.State.RUNNING));
        observer.onNext(job(PrefetchJob.State.COMPLETE));
        observer.onCompleted();
    }

    @Override
    public void verify(VerifyRequest request, StreamObserver<VerifyProgress> observer) {
        observer.onNext(VerifyProgress.newBuilder().setDone(true).build());
        observer.onCompleted();
    }

    @Override
    public void remove(RemoveRequest request, StreamObserver<RemoveResponse> observer) {
        observer.onError(ControlErrors.toStatus(new PenstockException(ErrorCode.UNKNOWN_SNAPSHOT, "none", "none")));
    }

    private static PrefetchJob job(PrefetchJob.State state) {
        return PrefetchJob.newBuilder()
                .setId("p")
                .setSnapshot(SNAPSHOT)
                .setState(state)
                .setPlannedBytes(1 << 30)
                .build();
    }

    @Override
    public void close() throws IOException {
        server.shutdownNow();
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
        StateDirectory state = new StateDirectory(directory);
        Files.deleteIfExists(state.controlSocket());
        Files.deleteIfExists(state.daemon());
        Files.deleteIfExists(directory);
    }
}
