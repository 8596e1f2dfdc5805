package io.penstock.cache.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.penstock.cache.control.v1.ControlGrpc;
import io.penstock.cache.control.v1.GetStatusRequest;
import io.penstock.cache.control.v1.NodeStatus;
import io.penstock.cache.control.v1.PinRequest;
import io.penstock.cache.control.v1.PinResponse;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.control.v1.WatchPrefetchRequest;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class ControlClientTest {
    private final EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private volatile PenstockException answer;
    private Server server;
    private Path socket;

    @TempDir
    Path dir;

    @BeforeEach
    void start() throws Exception {
        socket = dir.resolve("c.sock");
        server = NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(socket))
                .channelType(NioServerDomainSocketChannel.class)
                .bossEventLoopGroup(loop)
                .workerEventLoopGroup(loop)
                .addService(new FakeControl())
                .build()
                .start();
    }

    @AfterEach
    void stop() {
        server.shutdownNow();
        var _ = loop.shutdownGracefully();
    }

    @Test
    void asks() throws Exception {
        try (ControlClient client = ControlClient.connect(socket)) {
            assertThat(client.status().getKernel()).isEqualTo("6.18");
        }
    }

    @ParameterizedTest
    @EnumSource(ErrorCode.class)
    void errorsComeOutAsTheyWereThere(ErrorCode code) throws Exception {
        answer = new PenstockException(code, "what — happened", "do näxt", code.exit() == 1, null);
        try (ControlClient client = ControlClient.connect(socket)) {
            assertThatThrownBy(() -> client.pin("9f31", true)).isInstanceOfSatisfying(PenstockException.class, e -> {
                assertThat(e.code()).isEqualTo(code);
                assertThat(e).hasMessage("what — happened");
                assertThat(e.remedy()).isEqualTo("do näxt");
                assertThat(e.retryable()).isEqualTo(answer.retryable());
            });
        }
    }

    @Test
    void veryLongErrorsStillArrive() throws Exception {
        answer = new PenstockException(ErrorCode.CACHE_IO, "x".repeat(100_000), "y".repeat(100_000));
        try (ControlClient client = ControlClient.connect(socket)) {
            assertThatThrownBy(() -> client.pin("9f31", true))
                    .isInstanceOfSatisfying(
                            PenstockException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CACHE_IO));
        }
    }

    @Test
    void followsAStreamToItsEnd() throws Exception {
        List<Long> done = new ArrayList<>();
        try (ControlClient client = ControlClient.connect(socket)) {
            PrefetchJob last = client.watchPrefetch("job", job -> done.add(job.getDoneBytes()));
            assertThat(last.getState()).isEqualTo(PrefetchJob.State.COMPLETE);
        }
        assertThat(done).containsExactly(1L, 2L);
    }

    @Test
    void nobodyThereIsSaid() throws Exception {
        assertThatThrownBy(() -> ControlClient.connect(dir.resolve("none.sock")))
                .isInstanceOfSatisfying(
                        PenstockException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.NO_DAEMON));
        try (ControlClient client = ControlClient.connect(socket)) {
            server.shutdownNow().awaitTermination();
            assertThatThrownBy(client::status)
                    .isInstanceOfSatisfying(
                            PenstockException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.NO_DAEMON));
        }
    }

    @Test
    void aPathThatIsTooLongForASocketIsSaid() throws Exception {
        Path deep = dir.resolve("d".repeat(120));
        Path file = Files.createFile(Files.createDirectory(deep).resolve("c.sock"));
        assertThatThrownBy(() -> ControlClient.connect(file))
                .isInstanceOfSatisfying(
                        PenstockException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_VALUE))
                .hasMessageContaining(" bytes, and that of a socket at most 106");
        Path fits = dir.resolve("e".repeat(106 - dir.toString().length() - 1));
        Files.createFile(fits);
        try (ControlClient client = ControlClient.connect(fits)) {
            assertThatThrownBy(client::status).hasMessageContaining("Connection refused");
        }
    }

    private final class FakeControl extends ControlGrpc.ControlImplBase {
        @Override
        public void getStatus(GetStatusRequest request, StreamObserver<NodeStatus> observer) {
            observer.onNext(NodeStatus.newBuilder().setKernel("6.18").build());
            observer.onCompleted();
        }

        @Override
        public void pin(PinRequest request, StreamObserver<PinResponse> observer) {
            observer.onError(ControlErrors.toStatus(answer));
        }

        @Override
        public void watchPrefetch(WatchPrefetchRequest request, StreamObserver<PrefetchJob> observer) {
            observer.onNext(PrefetchJob.newBuilder()
                    .setState(PrefetchJob.State.RUNNING)
                    .setDoneBytes(1)
                    .build());
            observer.onNext(PrefetchJob.newBuilder()
                    .setState(PrefetchJob.State.COMPLETE)
                    .setDoneBytes(2)
                    .build());
            observer.onCompleted();
        }
    }
}
