package io.penstock.cache.control;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.penstock.cache.control.rpc.TlsIdentity;
import io.penstock.cache.control.v1.ChangePrefetchRequest;
import io.penstock.cache.control.v1.CollectGarbageRequest;
import io.penstock.cache.control.v1.CollectGarbageResponse;
import io.penstock.cache.control.v1.ControlGrpc;
import io.penstock.cache.control.v1.GetStatusRequest;
import io.penstock.cache.control.v1.GetVersionRequest;
import io.penstock.cache.control.v1.ListSnapshotsRequest;
import io.penstock.cache.control.v1.NodeStatus;
import io.penstock.cache.control.v1.PinRequest;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.control.v1.PrefetchPlan;
import io.penstock.cache.control.v1.RemoveRequest;
import io.penstock.cache.control.v1.RemoveResponse;
import io.penstock.cache.control.v1.ResolveRequest;
import io.penstock.cache.control.v1.SetLogLevelRequest;
import io.penstock.cache.control.v1.SnapshotInfo;
import io.penstock.cache.control.v1.SourceSpec;
import io.penstock.cache.control.v1.StartPrefetchRequest;
import io.penstock.cache.control.v1.VerifyProgress;
import io.penstock.cache.control.v1.VerifyRequest;
import io.penstock.cache.control.v1.VersionInfo;
import io.penstock.cache.control.v1.WatchPrefetchRequest;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.net.ssl.SSLException;

/**
 * Asks a daemon, of this node or of another. Thread-safe; one client may live as long as the daemon, or as long as one command. Calls
 * block; an error of the daemon comes out as the {@link PenstockException} that it was there.
 */
public final class ControlClient implements AutoCloseable {
    private static final Duration USUAL = Duration.ofSeconds(15);
    private static final Duration LISTING = Duration.ofMinutes(5);
    private static final int LARGEST_ANSWER = 64 << 20;
    /** Linux takes 107, Java 106. */
    private static final int LONGEST_PATH = 106;
    /** gRPC asks each channel for SO_KEEPALIVE, which a Unix socket does not have; Netty warns of it every time. */
    private static final Logger BOOTSTRAP = Logger.getLogger("io.netty.bootstrap");

    static {
        BOOTSTRAP.setLevel(Level.SEVERE);
    }

    private static final long ASKING_ALIVE_SECONDS = 30;
    private static final long ALIVE_ANSWER_SECONDS = 10;

    private final ManagedChannel channel;
    private final UnaryOperator<PenstockException> told;
    private final Runnable end;

    private ControlClient(ManagedChannel channel, UnaryOperator<PenstockException> told, Runnable end) {
        this.channel = channel;
        this.told = told;
        this.end = end;
    }

    /**
     * A client of the daemon that listens at {@code socket} (see {@link StateDirectory#controlSocket}).
     *
     * @throws PenstockException with {@code NO_DAEMON} when there is no such socket, {@code BAD_VALUE} when no socket's path may
     *     be that long
     */
    public static ControlClient connect(Path socket) throws PenstockException {
        int length = socket.toString().getBytes(StandardCharsets.UTF_8).length;
        if (length > LONGEST_PATH) {
            throw new PenstockException(
                    ErrorCode.BAD_VALUE,
                    "the path " + socket + " has " + length + " bytes, and that of a socket at most " + LONGEST_PATH,
                    "Use a directory with a shorter path, or a symbolic link to it.");
        }
        if (!Files.exists(socket)) {
            throw new PenstockException(
                    ErrorCode.NO_DAEMON,
                    "no daemon listens at " + socket,
                    "Start one with penstock mount or penstock daemon, or name its --state-dir.");
        }
        EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        ManagedChannel channel = NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket))
                .channelType(NioDomainSocketChannel.class)
                .eventLoopGroup(loop)
                .overrideAuthority("localhost")
                .usePlaintext()
                .directExecutor()
                .maxInboundMessageSize(LARGEST_ANSWER)
                .build();
        return new ControlClient(channel, UnaryOperator.identity(), () -> {
            var _ = loop.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
        });
    }

    /**
     * A client of a daemon elsewhere, over TLS: the daemon must be {@link TlsIdentity#DAEMON}, and lets only
     * {@link TlsIdentity#OPERATOR} in. Connects at the first question, and again when that is needed. All such clients share
     * one thread.
     *
     * @param directory of {@code ca.crt}, {@code tls.crt}, {@code tls.key}; read once
     * @throws PenstockException {@code BAD_VALUE}: these files are missing or unusable
     */
    public static ControlClient remote(InetSocketAddress address, Path directory) throws PenstockException {
        try {
            return remote(address, TlsIdentity.read(directory));
        } catch (IOException e) {
            if (e instanceof PenstockException known) {
                throw known;
            }
            throw new PenstockException(
                    ErrorCode.BAD_VALUE,
                    "the certificates in " + directory + " cannot be read: " + e,
                    "It must hold ca.crt, tls.crt and tls.key.",
                    false,
                    e);
        }
    }

    /** The same, with certificates that are in memory. */
    public static ControlClient remote(InetSocketAddress address, TlsIdentity identity) throws PenstockException {
        SslContext tls;
        try {
            tls = identity.client();
        } catch (GeneralSecurityException | SSLException e) {
            throw new PenstockException(
                    ErrorCode.BAD_VALUE,
                    "the certificates for the daemons cannot be used: " + e.getMessage(),
                    "They are PEM: authorities, certificate, and a PKCS#8 key that fits it.",
                    false,
                    e);
        }
        ManagedChannel channel = NettyChannelBuilder.forAddress(address)
                .channelType(NioSocketChannel.class)
                .eventLoopGroup(Remote.LOOP)
                .overrideAuthority(TlsIdentity.DAEMON)
                .sslContext(tls)
                .directExecutor()
                .keepAliveTime(ASKING_ALIVE_SECONDS, TimeUnit.SECONDS)
                .keepAliveTimeout(ALIVE_ANSWER_SECONDS, TimeUnit.SECONDS)
                .maxInboundMessageSize(LARGEST_ANSWER)
                .build();
        return new ControlClient(channel, error -> Remote.named(error, address), () -> {});
    }

    /** What clients of daemons elsewhere share; made with the first of them, never ended. */
    private static final class Remote {
        private static final EventLoopGroup LOOP = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("penstock-remote", true), NioIoHandler.newFactory());

        /** The usual text speaks of the daemon of this node. */
        static PenstockException named(PenstockException error, InetSocketAddress address) {
            if (error.code() != ErrorCode.NO_DAEMON || !(error.getCause() instanceof StatusRuntimeException status)) {
                return error;
            }
            Throwable cause = status.getStatus().getCause();
            while (cause != null && cause.getCause() != null) {
                cause = cause.getCause();
            }
            return new PenstockException(
                    ErrorCode.NO_DAEMON,
                    "the daemon at " + address.getHostString() + ":" + address.getPort() + " does not answer: "
                            + (cause == null ? status.getStatus().getDescription() : cause.getMessage()),
                    "Look whether its pod runs and is ready, and whether both ends have certificates of one authority.",
                    true,
                    status);
        }
    }

    public VersionInfo version() throws PenstockException {
        return ask(USUAL, stub -> stub.getVersion(GetVersionRequest.getDefaultInstance()));
    }

    public NodeStatus status() throws PenstockException {
        return ask(USUAL, stub -> stub.getStatus(GetStatusRequest.getDefaultInstance()));
    }

    /** Every snapshot that is known on this node. */
    public List<SnapshotInfo> snapshots() throws PenstockException {
        return ask(USUAL, stub -> stub.listSnapshots(ListSnapshotsRequest.getDefaultInstance()))
                .getSnapshotsList();
    }

    /** Lists the origin and keeps the snapshot. */
    public SnapshotInfo resolve(SourceSpec source) throws PenstockException {
        return ask(
                LISTING,
                stub -> stub.resolve(
                        ResolveRequest.newBuilder().setSource(source).build()));
    }

    /** What {@link #startPrefetch} would fetch. */
    public PrefetchPlan planPrefetch(StartPrefetchRequest request) throws PenstockException {
        return ask(LISTING, stub -> stub.planPrefetch(request));
    }

    public PrefetchJob startPrefetch(StartPrefetchRequest request) throws PenstockException {
        return ask(LISTING, stub -> stub.startPrefetch(request));
    }

    /**
     * Hears of the job now and after each change; returns the job as it ended.
     *
     * @throws InterruptedException the wait was given up; the job goes on
     */
    public PrefetchJob watchPrefetch(String id, Consumer<PrefetchJob> listener)
            throws PenstockException, InterruptedException {
        return watchPrefetch(WatchPrefetchRequest.newBuilder().setId(id).build(), listener);
    }

    /** The same, for whoever must say what the job is for. */
    public PrefetchJob watchPrefetch(WatchPrefetchRequest request, Consumer<PrefetchJob> listener)
            throws PenstockException, InterruptedException {
        return follow(() -> ControlGrpc.newBlockingStub(channel).watchPrefetch(request), listener);
    }

    public PrefetchJob changePrefetch(String id, ChangePrefetchRequest.Action action) throws PenstockException {
        return ask(
                USUAL,
                stub -> stub.changePrefetch(ChangePrefetchRequest.newBuilder()
                        .setId(id)
                        .setAction(action)
                        .build()));
    }

    /** Removes a snapshot, and of its objects those that no other snapshot needs. */
    public RemoveResponse remove(String snapshot, boolean dryRun) throws PenstockException {
        return ask(
                LISTING,
                stub -> stub.remove(RemoveRequest.newBuilder()
                        .setSnapshot(snapshot)
                        .setDryRun(dryRun)
                        .build()));
    }

    public CollectGarbageResponse collectGarbage(CollectGarbageRequest request) throws PenstockException {
        return ask(LISTING, stub -> stub.collectGarbage(request));
    }

    /**
     * Re-reads what is stored against its checksums.
     *
     * @param snapshot empty: everything
     * @return the last progress
     */
    public VerifyProgress verify(String snapshot, Consumer<VerifyProgress> listener)
            throws PenstockException, InterruptedException {
        VerifyRequest request = VerifyRequest.newBuilder().setSnapshot(snapshot).build();
        return follow(() -> ControlGrpc.newBlockingStub(channel).verify(request), listener);
    }

    public SnapshotInfo pin(String snapshot, boolean pinned) throws PenstockException {
        PinRequest request =
                PinRequest.newBuilder().setSnapshot(snapshot).setPinned(pinned).build();
        return ask(USUAL, stub -> stub.pin(request)).getSnapshot();
    }

    /**
     * Changes what is logged.
     *
     * @param logger empty: all of ours
     * @return the level until now
     */
    public String logLevel(String logger, String level) throws PenstockException {
        SetLogLevelRequest request = SetLogLevelRequest.newBuilder()
                .setLogger(logger)
                .setLevel(level)
                .build();
        return ask(USUAL, stub -> stub.setLogLevel(request)).getPrevious();
    }

    private <T> T ask(Duration within, Function<ControlGrpc.ControlBlockingStub, T> call) throws PenstockException {
        try {
            return call.apply(
                    ControlGrpc.newBlockingStub(channel).withDeadlineAfter(within.toMillis(), TimeUnit.MILLISECONDS));
        } catch (StatusRuntimeException e) {
            throw told.apply(ControlErrors.fromStatus(e));
        }
    }

    private <T> T follow(Supplier<Iterator<T>> call, Consumer<T> listener)
            throws PenstockException, InterruptedException {
        T last = null;
        try {
            for (Iterator<T> messages = call.get(); messages.hasNext(); ) {
                last = messages.next();
                listener.accept(last);
            }
        } catch (StatusRuntimeException e) {
            if (Thread.interrupted()) {
                InterruptedException interrupted = new InterruptedException("no longer waiting for the daemon");
                interrupted.initCause(e);
                throw interrupted;
            }
            throw told.apply(ControlErrors.fromStatus(e));
        }
        if (last == null) {
            throw new PenstockException(ErrorCode.INTERNAL, "the daemon ended its answer before it began", "");
        }
        return last;
    }

    /** Ends calls that still run. */
    @Override
    public void close() {
        channel.shutdownNow();
        end.run();
    }
}
