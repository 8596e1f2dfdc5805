package io.penstock.cache.source.http;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.model.ByteRange;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.source.Fault;
import io.penstock.cache.source.FaultyOrigin;
import io.penstock.cache.source.Recorder;
import io.penstock.cache.source.Source;
import io.penstock.cache.source.SourceException;
import io.penstock.cache.source.Sources;
import io.penstock.cache.source.TestTls;
import io.penstock.cache.source.net.NetOptions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each fault of an origin becomes one clear error within its deadline, and no wrong byte is told of. */
class HttpFaultsTest {
    private static final int SIZE = 300_000;
    private static final NetOptions HASTY = new NetOptions(
            ofSeconds(4), ofSeconds(1), ofSeconds(1), 4096, ofSeconds(5), 16, 0, java.util.Optional.empty());
    private static final NetOptions PATIENT = HASTY.withTimeouts(ofSeconds(60), ofSeconds(60), ofSeconds(60));

    private static final String FAULTS = """
            RESET_BEFORE_ANSWER, ORIGIN_UNREACHABLE, true,  8000
            RESET_IN_BODY,       ORIGIN_UNREACHABLE, true,  8000
            DRIP,                ORIGIN_TIMEOUT,     true,  20000
            SLOW_DOWN_503,       ORIGIN_THROTTLED,   true,  8000
            DENIED_403,          ORIGIN_DENIED,      false, 8000
            SHORT_BODY,          ORIGIN_UNREACHABLE, true,  8000
            WRONG_LENGTH,        ORIGIN_PROTOCOL,    false, 8000
            WRONG_ETAG,          ORIGIN_CHANGED,     false, 8000
            RANGE_416,           ORIGIN_CHANGED,     false, 8000
            REDIRECT,            ORIGIN_PROTOCOL,    false, 8000
            HANG_BEFORE_HEADERS, ORIGIN_TIMEOUT,     true,  20000
            HANG_IN_BODY,        ORIGIN_TIMEOUT,     true,  20000
            WRONG_RANGE,         ORIGIN_PROTOCOL,    false, 8000
            IGNORES_RANGE,       ORIGIN_PROTOCOL,    false, 8000
            GARBAGE,             ORIGIN_PROTOCOL,    false, 8000
            ERROR_500,           ORIGIN_UNREACHABLE, true,  8000
            """;

    @ParameterizedTest
    @CsvSource(textBlock = FAULTS)
    void onceAndThenWell(Fault fault, ErrorCode code, boolean retryable, long deadlineMillis) throws Exception {
        rounds(fault, code, retryable, deadlineMillis, 2, 3);
    }

    @Tag("long")
    @ParameterizedTest
    @CsvSource(textBlock = FAULTS)
    void aHundredTimes(Fault fault, ErrorCode code, boolean retryable, long deadlineMillis) throws Exception {
        int rounds = (int) Math.max(1, 10 * Double.parseDouble(System.getProperty("penstock.test.scale", "1.0")));
        rounds(fault, code, retryable, deadlineMillis, rounds, 10);
    }

    private static void rounds(Fault fault, ErrorCode code, boolean retryable, long millis, int rounds, int parallel)
            throws Exception {
        byte[] content = new byte[SIZE];
        new Random(6).nextBytes(content);
        try (FaultyOrigin origin = FaultyOrigin.start();
                Sources sources = new Sources(code == ErrorCode.ORIGIN_TIMEOUT ? HASTY : PATIENT, 1);
                Source source = sources.open(origin.endpoint() + "/x", Map.of(), Map.of());
                Arena arena = Arena.ofShared()) {
            origin.put("x", content);
            ObjectId object = only(source);
            for (int round = 0; round < rounds; round++) {
                origin.fail(fault, Integer.MAX_VALUE);
                List<Try> tries = new ArrayList<>();
                for (int i = 0; i < parallel; i++) {
                    tries.add(new Try(source, object, 1000 + i, 200_000, arena));
                }
                for (Try one : tries) {
                    SourceException error = one.recorder.await(60);
                    assertThat(error).as("%s must be an error", fault).isNotNull();
                    assertThat(error.code()).as(error.getMessage()).isEqualTo(code);
                    assertThat(error.retryable()).isEqualTo(retryable);
                    assertThat(error).hasMessageContaining(object.toString());
                    assertThat(one.millis()).isLessThan((double) millis);
                    one.check(content);
                }
                if (fault == Fault.SLOW_DOWN_503) {
                    assertThat(tries.getFirst().recorder.await(0).retryAfter()).contains(ofSeconds(7));
                }
                origin.fail(fault, 0);
                Try well = new Try(source, object, 5, 250_000, arena);
                for (int i = 0; i < 5 && timedOut(well.recorder.await(60)); i++) { // a busy machine, a second at most
                    well = new Try(source, object, 5, 250_000, arena);
                }
                assertThat(well.recorder.await(60)).isNull();
                assertThat(well.recorder.received()).isEqualTo(250_000);
                well.check(content);
            }
        }
    }

    @Test
    void aNameThatDoesNotResolve() throws Exception {
        expect("http://origin.invalid/x", Map.of(), ErrorCode.ORIGIN_UNREACHABLE, "origin.invalid");
    }

    @Test
    void aPortThatNobodyListensOn() throws Exception {
        int port;
        try (ServerSocket socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        expect("http://127.0.0.1:" + port + "/x", Map.of(), ErrorCode.ORIGIN_UNREACHABLE, "no connection");
    }

    @Test
    void aCertificateThatIsNotTrusted() throws Exception {
        try (FaultyOrigin origin = FaultyOrigin.start(TestTls.server())) {
            expect(origin.endpoint() + "/x", Map.of(), ErrorCode.ORIGIN_UNREACHABLE, "certificate is not trusted");
        }
    }

    @Test
    void aCertificateForAnotherHost() throws Exception {
        try (FaultyOrigin origin = FaultyOrigin.start(TestTls.server())) {
            expect(
                    "https://127.0.0.2:" + origin.port() + "/x",
                    Map.of("ca-file", TestTls.caFile().toString()),
                    ErrorCode.ORIGIN_UNREACHABLE,
                    "");
        }
    }

    @Test
    void aTlsServerThatIsNone() throws Exception {
        try (FaultyOrigin origin = FaultyOrigin.start()) {
            expect(
                    "https://127.0.0.1:" + origin.port() + "/x",
                    Map.of(),
                    ErrorCode.ORIGIN_UNREACHABLE,
                    "TLS handshake");
        }
    }

    @Test
    void aTlsServerThatSaysNothing() throws Exception {
        try (ServerSocket socket = new ServerSocket(0)) {
            expect(
                    "https://127.0.0.1:" + socket.getLocalPort() + "/x",
                    Map.of(),
                    ErrorCode.ORIGIN_TIMEOUT,
                    "TLS handshake did not end");
        }
    }

    @Test
    void aTlsServerThatHangsUp() throws Exception {
        try (ServerSocket socket = new ServerSocket(0)) {
            Thread.ofPlatform().daemon().start(() -> {
                while (!socket.isClosed()) {
                    try (Socket accepted = socket.accept()) {
                        accepted.setSoLinger(true, 0);
                    } catch (java.io.IOException e) {
                        return;
                    }
                }
            });
            SourceException error = expect(
                    "https://127.0.0.1:" + socket.getLocalPort() + "/x", Map.of(), ErrorCode.ORIGIN_UNREACHABLE, "");
            assertThat(error.retryable()).isTrue();
        }
    }

    private static SourceException expect(String location, Map<String, String> options, ErrorCode code, String words)
            throws Exception {
        long start = System.nanoTime();
        try (Sources sources = new Sources(HASTY, 1);
                Source source = sources.open(location, options, Map.of())) {
            only(source);
        } catch (SourceException e) {
            assertThat(e.code()).as(e.getMessage()).isEqualTo(code);
            assertThat(e).hasMessageContaining(words);
            assertThat((System.nanoTime() - start) / 1e6).isLessThan(30_000);
            return e;
        }
        throw new AssertionError(location + " must not be listed");
    }

    private static boolean timedOut(SourceException error) {
        return error != null && error.code() == ErrorCode.ORIGIN_TIMEOUT;
    }

    private static ObjectId only(Source source) throws SourceException {
        List<Entry> entries = new ArrayList<>();
        source.list(entries::addAll);
        return entries.getFirst().object();
    }

    /** One read that notes how long it took. */
    private static final class Try {
        private final int offset;
        private final MemorySegment target;
        private final long start = System.nanoTime();
        private volatile long end;
        private final Recorder recorder = new Recorder() {
            @Override
            public void failed(SourceException failure) {
                end = System.nanoTime();
                super.failed(failure);
            }
        };

        Try(Source source, ObjectId object, int offset, int length, Arena arena) {
            this.offset = offset;
            this.target = arena.allocate(length);
            source.read(object, new ByteRange(offset, length), target, recorder);
        }

        double millis() {
            return (end - start) / 1e6;
        }

        void check(byte[] content) {
            int told = (int) recorder.received();
            byte[] got = target.asSlice(0, told).toArray(ValueLayout.JAVA_BYTE);
            assertThat(Arrays.mismatch(got, Arrays.copyOfRange(content, offset, offset + told)))
                    .isEqualTo(-1);
            assertThat(recorder.breaches()).isEmpty();
        }
    }
}
