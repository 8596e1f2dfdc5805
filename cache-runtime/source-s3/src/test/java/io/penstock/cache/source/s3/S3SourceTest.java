package io.penstock.cache.source.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.source.Source;
import io.penstock.cache.source.SourceContract;
import io.penstock.cache.source.SourceException;
import io.penstock.cache.source.Sources;
import io.penstock.cache.source.TestOrigin;
import io.penstock.cache.source.TestTls;
import io.penstock.cache.source.net.NetOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class S3SourceTest extends SourceContract {
    @TempDir
    private Path directory;

    @Override
    protected TestOrigin origin() throws Exception {
        return new Bucketful(new EmbeddedS3(directory, false), Map.of());
    }

    @Test
    void aWrongSecretIsDenied() throws Exception {
        try (EmbeddedS3 server = new EmbeddedS3(directory.resolve("denied"), false);
                Sources sources = new Sources(NetOptions.DEFAULT, 1)) {
            Map<String, String> keys = Map.of("AWS_ACCESS_KEY_ID", "AKIDPLANTED", "AWS_SECRET_ACCESS_KEY", "planted2");
            try (Source source = sources.open("s3://bucket", Map.of("endpoint", server.endpoint()), keys)) {
                assertThatThrownBy(() -> list(source)).isInstanceOfSatisfying(SourceException.class, e -> {
                    assertThat(e.code()).isEqualTo(ErrorCode.ORIGIN_DENIED);
                    assertThat(e.getMessage()).contains("SignatureDoesNotMatch").doesNotContain("planted");
                });
            }
        }
    }

    @Test
    void aBucketThatIsNotThere() throws Exception {
        try (EmbeddedS3 server = new EmbeddedS3(directory.resolve("nobucket"), false);
                Sources sources = new Sources(NetOptions.DEFAULT, 1);
                Source source = sources.open("s3://nothing", Map.of("endpoint", server.endpoint()), EmbeddedS3.KEYS)) {
            assertThatThrownBy(() -> list(source))
                    .isInstanceOfSatisfying(
                            SourceException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ORIGIN_NOT_FOUND));
        }
    }

    @Nested
    class OverTls extends SourceContract {
        @Override
        protected TestOrigin origin() throws Exception {
            return new Bucketful(
                    new EmbeddedS3(directory.resolve("tls"), true),
                    Map.of("ca-file", TestTls.caFile().toString()));
        }

        @Override
        protected int many() {
            return 20;
        }
    }

    private static final class Bucketful implements TestOrigin {
        private final EmbeddedS3 server;
        private final Map<String, String> options;
        private final Sources sources = new Sources(NetOptions.DEFAULT, 1);

        Bucketful(EmbeddedS3 server, Map<String, String> more) {
            this.server = server;
            this.options = new HashMap<>(more);
            options.put("endpoint", server.endpoint());
        }

        @Override
        public void put(String key, byte[] content) {
            server.put(key, content);
        }

        @Override
        public void remove(String key) {
            server.remove(key);
        }

        @Override
        public Source open(String key) throws SourceException {
            return sources.open("s3://" + EmbeddedS3.BUCKET + "/" + key, options, EmbeddedS3.KEYS);
        }

        @Override
        public void close() throws IOException {
            sources.close();
            server.close();
        }
    }
}
