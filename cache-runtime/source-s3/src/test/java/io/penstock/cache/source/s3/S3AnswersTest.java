package io.penstock.cache.source.s3;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import io.penstock.cache.source.net.NetOptions;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What answers of an S3 server come to. */
class S3AnswersTest {
    private static final ObjectId OBJECT = new ObjectId("s3://bu", "k", FaultyOrigin.etag("hello".getBytes(UTF_8)), 5);

    private FaultyOrigin origin;
    private Sources sources;
    private Source source;

    @BeforeEach
    void start() throws Exception {
        origin = FaultyOrigin.start();
        origin.put("bu/k", "hello".getBytes(UTF_8));
        sources = new Sources(NetOptions.DEFAULT, 1);
        source = open(Map.of());
    }

    @AfterEach
    void stop() throws Exception {
        source.close();
        sources.close();
        origin.close();
    }

    private Source open(Map<String, String> more) throws SourceException {
        Map<String, String> options = new java.util.HashMap<>(more);
        options.put("endpoint", origin.endpoint());
        return sources.open("s3://bu", options, EmbeddedS3.KEYS);
    }

    private static String answer(String status, String headers, String body) {
        return "HTTP/1.1 " + status + "\r\n" + headers + "Content-Length: " + body.length() + "\r\n\r\n" + body;
    }

    private static String xml(String code) {
        return "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>planted words</Message>"
                + "<RequestId>4442587FB7D0A2F9</RequestId></Error>";
    }

    private SourceException read(ObjectId object) {
        try (Arena arena = Arena.ofShared()) {
            Recorder recorder = new Recorder();
            source.read(object, new ByteRange(0, object.size()), arena.allocate(object.size()), recorder);
            return recorder.await(20);
        }
    }

    private List<Entry> list() throws SourceException {
        List<Entry> entries = new ArrayList<>();
        source.list(entries::addAll);
        return entries;
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
            403 Forbidden, AccessDenied, ORIGIN_DENIED, false
            403 Forbidden, InvalidAccessKeyId, ORIGIN_DENIED, false
            403 Forbidden, SignatureDoesNotMatch, ORIGIN_DENIED, false
            403 Forbidden, RequestTimeTooSkewed, ORIGIN_DENIED, false
            403 Forbidden, InvalidObjectState, ORIGIN_DENIED, false
            400 Bad Request, ExpiredToken, ORIGIN_DENIED, true
            404 Not Found, NoSuchKey, ORIGIN_NOT_FOUND, false
            404 Not Found, NoSuchBucket, ORIGIN_NOT_FOUND, false
            412 Precondition Failed, PreconditionFailed, ORIGIN_CHANGED, false
            416 Range, InvalidRange, ORIGIN_CHANGED, false
            503 Slow Down, SlowDown, ORIGIN_THROTTLED, true
            503 Service Unavailable, ServiceUnavailable, ORIGIN_THROTTLED, true
            429 Too Many, '', ORIGIN_THROTTLED, true
            400 Bad Request, RequestTimeout, ORIGIN_UNREACHABLE, true
            500 Internal, InternalError, ORIGIN_UNREACHABLE, true
            502 Bad Gateway, '', ORIGIN_UNREACHABLE, true
            301 Moved, PermanentRedirect, ORIGIN_PROTOCOL, false
            400 Bad Request, <evil>, ORIGIN_PROTOCOL, false
            """)
    void refusals(String status, String code, ErrorCode expected, boolean retryable) {
        origin.script(r -> answer(status, "Retry-After: 3\r\n", xml(code)));

        SourceException read = read(OBJECT);
        assertThat(read.code()).isEqualTo(expected);
        assertThat(read.retryable()).isEqualTo(retryable);
        assertThat(read.getMessage())
                .contains("s3://bu/k", status.substring(0, 3))
                .doesNotContain("planted")
                .doesNotContain("<");
        assertThat(read.remedy()).isNotEmpty();
        if (expected == ErrorCode.ORIGIN_THROTTLED) {
            assertThat(read.retryAfter()).contains(Duration.ofSeconds(3));
        }
        assertThatThrownBy(this::list)
                .isInstanceOfSatisfying(
                        SourceException.class, e -> assertThat(e.code()).isEqualTo(expected));
    }

    @Test
    void anErrorPageOfAProxyIsNotQuoted() {
        origin.script(r -> answer("403 Forbidden", "", "<html><Code>planted &evil; words</Code>"));
        assertThat(read(OBJECT).getMessage()).endsWith("answers 403");
    }

    @Test
    void anErrorWithoutEndIsCutOff() {
        origin.script(r -> answer("403 Forbidden", "", xml("AccessDenied") + "x".repeat(1 << 20)));
        assertThat(read(OBJECT).code()).isEqualTo(ErrorCode.ORIGIN_DENIED);
    }

    @Test
    void anExpiredTokenIsAskedForAgainOnce() {
        AtomicInteger asked = new AtomicInteger();
        origin.script(r -> asked.incrementAndGet() == 1 ? answer("400 Bad Request", "", xml("ExpiredToken")) : null);
        assertThat(read(OBJECT)).isNull();
        assertThat(asked).hasValue(2);
    }

    @Test
    void aServerThatIgnoresConditionsCannotMixVersions() throws Exception {
        origin.put("bu/k", "HELLO".getBytes(UTF_8));
        origin.script(r -> r.headers().containsKey("range")
                ? answer("206 Partial", "Content-Range: bytes 0-4/5\r\nETag: \"other\"\r\n", "HELLO")
                : null);
        assertThat(read(OBJECT).code()).isEqualTo(ErrorCode.ORIGIN_CHANGED);
        origin.script(r -> answer("206 Partial", "Content-Range: bytes 0-4/5\r\n", "HELLO"));
        assertThat(read(OBJECT).code()).isEqualTo(ErrorCode.ORIGIN_PROTOCOL);
        origin.script(r -> answer("200 OK", "ETag: \"" + OBJECT.version() + "\"\r\n", "hello"));
        assertThat(read(OBJECT)).isNull();
    }

    @Test
    void faultsOfTheConnectionNameTheObject() {
        origin.fail(Fault.SHORT_BODY, 1);
        assertThat(read(OBJECT)).hasMessageContaining("s3://bu/k").hasMessageContaining("after 2 bytes");
        assertThat(read(OBJECT)).isNull();
    }

    @Test
    void requestsAreSignedAndSayWhoPays() throws Exception {
        source.close();
        source = open(Map.of("requester-pays", "true"));
        assertThat(list()).hasSize(1);
        assertThat(read(OBJECT)).isNull();
        Map<String, String> headers = origin.lastRead().headers();
        assertThat(headers)
                .containsEntry("x-amz-request-payer", "requester")
                .containsEntry("if-match", "\"" + OBJECT.version() + "\"")
                .containsEntry("range", "bytes=0-4");
        assertThat(headers.get("authorization"))
                .startsWith("AWS4-HMAC-SHA256 Credential=AKIDPLANTED/")
                .contains("x-amz-request-payer");
    }

    @Test
    void anonymousRequestsAreNotSigned() throws Exception {
        source.close();
        source = open(Map.of("anonymous", "true"));
        assertThat(list()).hasSize(1);
        assertThat(read(OBJECT)).isNull();
        assertThat(origin.lastRead().headers()).doesNotContainKey("authorization");
    }

    @Test
    void keysThatCannotBeFilesAreLeftOut() throws Exception {
        for (String key : new String[] {"a/", "b//c", "../d", "e/./f", "ok", "x".repeat(256)}) {
            origin.put("bu/" + key, new byte[1]);
        }
        assertThat(list()).extracting(Entry::path).containsExactlyInAnyOrder("k", "ok");
    }

    @Test
    void locations() {
        for (String bad : new String[] {"s3://", "s3:///x", "s3://b", "s3://bu--x-s3/y", "s3://a b/c"}) {
            assertThatThrownBy(() -> sources.open(bad, Map.of(), Map.of()))
                    .as(bad)
                    .isInstanceOfSatisfying(
                            SourceException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_LOCATION));
        }
    }
}
