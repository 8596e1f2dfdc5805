package io.penstock.cache.source.s3;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import io.penstock.cache.model.ByteRange;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.source.Fault;
import io.penstock.cache.source.FaultyOrigin;
import io.penstock.cache.source.Recorder;
import io.penstock.cache.source.Source;
import io.penstock.cache.source.SourceException;
import io.penstock.cache.source.Sources;
import io.penstock.cache.source.net.NetOptions;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** Secrets planted wherever credentials come from are in no log at TRACE and in no error, whatever the origin does. */
class SecretsTest {
    private static final List<String> SECRETS = List.of(
            "planted/secret+key", "planted-session-token", "planted-proxy-password", "planted-bearer", "Signature=");

    private final List<String> logged = new CopyOnWriteArrayList<>();
    private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    private final AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            String thrown =
                    event.getThrowableProxy() == null ? "" : ThrowableProxyUtil.asString(event.getThrowableProxy());
            logged.add(event.getLoggerName() + " " + event.getFormattedMessage() + " " + thrown);
        }
    };

    @TempDir
    private Path home;

    @BeforeEach
    void listen() {
        root.detachAndStopAllAppenders();
        appender.setContext(root.getLoggerContext());
        appender.start();
        root.addAppender(appender);
        root.setLevel(Level.TRACE);
        root.trace("the appender works");
    }

    @AfterEach
    void quiet() {
        root.setLevel(Level.WARN);
        root.detachAppender(appender);
    }

    private void check(Throwable error) {
        StringWriter text = new StringWriter();
        error.printStackTrace(new PrintWriter(text));
        assertThat(text.toString()).doesNotContain(SECRETS);
        if (error instanceof SourceException e) {
            assertThat(e.remedy()).doesNotContain(SECRETS);
        }
    }

    private void everyFault(Map<String, String> environment) throws Exception {
        NetOptions hasty =
                NetOptions.DEFAULT.withTimeouts(Duration.ofSeconds(2), Duration.ofMillis(500), Duration.ofMillis(500));
        byte[] content = "hello".repeat(10_000).getBytes(UTF_8);
        try (FaultyOrigin origin = FaultyOrigin.start();
                Sources sources = new Sources(hasty, 1);
                Source source = sources.open("s3://bu", Map.of("endpoint", origin.endpoint()), environment);
                Arena arena = Arena.ofShared()) {
            origin.put("bu/k", content);
            source.list(page -> {});
            ObjectId object = new ObjectId("s3://bu", "k", FaultyOrigin.etag(content), content.length);
            for (Fault fault : Fault.values()) {
                origin.fail(fault, Integer.MAX_VALUE);
                Recorder recorder = new Recorder();
                source.read(object, new ByteRange(5, 20_000), arena.allocate(20_000), recorder);
                SourceException error = recorder.await(20);
                if (error != null) {
                    check(error);
                }
            }
            for (String code : List.of("AccessDenied", "ExpiredToken", "SignatureDoesNotMatch")) {
                // As real servers do, it says back what it was sent.
                origin.script(r -> {
                    String body =
                            "<Error><Code>" + code + "</Code><StringToSign>" + r.headers() + "</StringToSign></Error>";
                    return "HTTP/1.1 403 Forbidden\r\nX-Echo: " + r.headers().get("authorization")
                            + "\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
                });
                Recorder recorder = new Recorder();
                source.read(object, new ByteRange(5, 5), arena.allocate(5), recorder);
                check(recorder.await(20));
            }
            assertThat(source.toString() + source.location()).doesNotContain(SECRETS);
        }
        assertThat(logged).isNotEmpty();
        for (String line : logged) {
            assertThat(line).doesNotContain(SECRETS);
        }
    }

    @Test
    void fromTheEnvironment() throws Exception {
        everyFault(Map.of(
                "AWS_ACCESS_KEY_ID", "AKID",
                "AWS_SECRET_ACCESS_KEY", "planted/secret+key",
                "AWS_SESSION_TOKEN", "planted-session-token",
                "no_proxy", "127.0.0.1",
                "http_proxy", "http://user:planted-proxy-password@127.0.0.1:9"));
    }

    @Test
    void fromAProfile() throws Exception {
        Path aws = Files.createDirectories(home.resolve(".aws"));
        Files.writeString(aws.resolve("credentials"), """
                [default]
                aws_access_key_id = AKID
                aws_secret_access_key = planted/secret+key
                aws_session_token = planted-session-token
                """);
        everyFault(Map.of(
                "HOME", home.toString(),
                "AWS_ACCESS_KEY_ID", "",
                "AWS_SECRET_ACCESS_KEY", "",
                "AWS_SHARED_CREDENTIALS_FILE", "",
                "AWS_CONFIG_FILE", ""));
    }
}
