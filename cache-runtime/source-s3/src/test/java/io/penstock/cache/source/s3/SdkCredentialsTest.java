package io.penstock.cache.source.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.source.FaultyOrigin;
import io.penstock.cache.source.SourceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SdkCredentialsTest {
    @TempDir
    private Path home;

    private CredentialSource source(S3Options options, String... variables) {
        Map<String, String> environment = new HashMap<>(Map.of(
                "HOME", home.toString(),
                "AWS_ACCESS_KEY_ID", "",
                "AWS_SECRET_ACCESS_KEY", "",
                "AWS_PROFILE", "",
                "AWS_CONFIG_FILE", "",
                "AWS_SHARED_CREDENTIALS_FILE", "",
                "AWS_WEB_IDENTITY_TOKEN_FILE", "",
                "AWS_EC2_METADATA_DISABLED", "true"));
        for (int i = 0; i < variables.length; i += 2) {
            environment.put(variables[i], variables[i + 1]);
        }
        S3Options all = options.withEnvironment(environment);
        return CredentialSource.of(all, new ProfileFiles(all));
    }

    private Path write(String name, String text) throws IOException {
        Path file = home.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }

    @Test
    void keysInTheEnvironmentAreUsedAtOnce() throws Exception {
        try (CredentialSource source = source(
                S3Options.DEFAULT, "AWS_ACCESS_KEY_ID", "A", "AWS_SECRET_ACCESS_KEY", "S", "AWS_SESSION_TOKEN", "T")) {
            assertThat(source.isInstant()).isTrue();
            assertThat(source.get()).isEqualTo(new Credentials("A", "S", "T"));
        }
    }

    @Test
    void aProfileAskedForComesBeforeThem() throws Exception {
        write(".aws/credentials", "[p]\naws_access_key_id=P\naws_secret_access_key=Q\n");
        try (CredentialSource source =
                source(S3Options.DEFAULT.withProfile("p"), "AWS_ACCESS_KEY_ID", "A", "AWS_SECRET_ACCESS_KEY", "S")) {
            assertThat(source.get()).isEqualTo(new Credentials("P", "Q", null));
        }
    }

    @Test
    void aChangedFileIsReadAgain() throws Exception {
        Path file = write("creds", "[default]\naws_access_key_id=P\naws_secret_access_key=Q\n");
        try (CredentialSource source = source(S3Options.DEFAULT, "AWS_SHARED_CREDENTIALS_FILE", file.toString())) {
            assertThat(source.get().accessKey()).isEqualTo("P");
            write("creds", "[default]\naws_access_key_id=P2\naws_secret_access_key=Q2\n");
            Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(5)));
            source.invalidate();
            assertThat(source.get()).isEqualTo(new Credentials("P2", "Q2", null));
        }
    }

    @Test
    void aProcessNamedByTheProfile() throws Exception {
        Path script = write(
                "give.sh",
                "#!/bin/sh\necho '{\"Version\":1,\"AccessKeyId\":\"X\",\"SecretAccessKey\":\"Y\",\"SessionToken\":\"Z\"}'\n");
        assertThat(script.toFile().setExecutable(true)).isTrue();
        write(".aws/config", "[default]\ncredential_process = " + script + "\n");
        try (CredentialSource source = source(S3Options.DEFAULT)) {
            assertThat(source.get()).isEqualTo(new Credentials("X", "Y", "Z"));
        }
    }

    @Test
    void aWebIdentity() throws Exception {
        Path token = write("token", "planted-token");
        try (FaultyOrigin sts = FaultyOrigin.start()) {
            String body = """
                    <AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
                    <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>W</AccessKeyId>
                    <SecretAccessKey>I</SecretAccessKey><SessionToken>D</SessionToken>
                    <Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>
                    </AssumeRoleWithWebIdentityResponse>""";
            sts.script(r ->
                    "HTTP/1.1 200 OK\r\nContent-Length: " + body.length() + "\r\nConnection: close\r\n\r\n" + body);
            try (CredentialSource source = source(
                    S3Options.DEFAULT,
                    "AWS_WEB_IDENTITY_TOKEN_FILE",
                    token.toString(),
                    "AWS_ROLE_ARN",
                    "arn:aws:iam::123456789012:role/reader",
                    "AWS_ENDPOINT_URL_STS",
                    sts.endpoint())) {
                assertThat(source.get()).isEqualTo(new Credentials("W", "I", "D"));
            }
        }
    }

    @Test
    void anEndpointForContainersNamedByWhoAsks() throws Exception {
        Path token = write("token", "planted-token\n");
        try (FaultyOrigin agent = FaultyOrigin.start()) {
            AtomicInteger asked = new AtomicInteger();
            agent.script(r -> {
                if (!"planted-token".equals(r.headers().get("authorization"))) {
                    return answer("401 Unauthorized", "{}");
                }
                return answer("200 OK", """
                        {"AccessKeyId":"C%d","SecretAccessKey":"S","Token":"T","Expiration":"%s"}""".formatted(
                                asked.incrementAndGet(), Instant.now().plusSeconds(asked.get() < 3 ? 1 : 7200)));
            });
            String[] variables = {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                agent.endpoint() + "/v1/credentials",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                token.toString()
            };
            try (CredentialSource source = source(S3Options.DEFAULT, variables)) {
                assertThat(source.get()).isEqualTo(new Credentials("C1", "S", "T"));
                assertThat(source.get().accessKey())
                        .as("about to end: asked again")
                        .isEqualTo("C2");
                assertThat(source.get().accessKey()).isEqualTo("C3");
                assertThat(source.get().accessKey()).as("lasts: kept").isEqualTo("C3");
                source.invalidate();
                assertThat(source.get().accessKey()).isEqualTo("C4");
            }
            write("token", "wrong");
            try (CredentialSource source = source(S3Options.DEFAULT, variables)) {
                assertThatThrownBy(source::get)
                        .isInstanceOfSatisfying(
                                SourceException.class,
                                e -> assertThat(e.code()).isEqualTo(ErrorCode.ORIGIN_NO_CREDENTIALS));
            }
        }
    }

    @Test
    void anEndpointForContainersElsewhereIsNotAskedInTheClear() throws Exception {
        try (CredentialSource source =
                source(S3Options.DEFAULT, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/credentials")) {
            assertThatThrownBy(source::get).isInstanceOf(SourceException.class);
        }
    }

    private static String answer(String status, String body) {
        return "HTTP/1.1 " + status + "\r\nContent-Length: " + body.length() + "\r\nConnection: close\r\n\r\n" + body;
    }

    @Test
    void noneAreAnErrorThatSaysWhatToDo() throws Exception {
        try (CredentialSource source = source(S3Options.DEFAULT)) {
            assertThatThrownBy(source::get).isInstanceOfSatisfying(SourceException.class, e -> {
                assertThat(e.code()).isEqualTo(ErrorCode.ORIGIN_NO_CREDENTIALS);
                assertThat(e.remedy()).contains("AWS_ACCESS_KEY_ID");
            });
        }
    }

    @Test
    void anonymousHasNone() throws Exception {
        try (CredentialSource source = source(S3Options.DEFAULT.withAnonymous())) {
            assertThat(source.get()).isNull();
        }
    }
}
