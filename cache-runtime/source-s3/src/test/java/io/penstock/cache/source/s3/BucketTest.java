package io.penstock.cache.source.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.cache.source.SourceException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BucketTest {
    @TempDir
    private Path home;

    private Bucket find(String name, S3Options options, String... variables) throws SourceException {
        Map<String, String> environment = new HashMap<>(Map.of(
                "HOME", home.toString(),
                "AWS_REGION", "",
                "AWS_DEFAULT_REGION", "",
                "AWS_PROFILE", "",
                "AWS_CONFIG_FILE", "",
                "AWS_SHARED_CREDENTIALS_FILE", "",
                "AWS_ENDPOINT_URL", "",
                "AWS_ENDPOINT_URL_S3", ""));
        for (int i = 0; i < variables.length; i += 2) {
            environment.put(variables[i], variables[i + 1]);
        }
        S3Options all = options.withEnvironment(environment);
        return Bucket.find(name, all, new ProfileFiles(all));
    }

    private static String url(Bucket bucket) {
        return bucket.authority() + bucket.base();
    }

    @Test
    void atAws() throws Exception {
        S3Options plain = S3Options.DEFAULT;
        assertThat(url(find("b-1", plain))).isEqualTo("https://b-1.s3.us-east-1.amazonaws.com");
        assertThat(url(find("b.dots", plain.withRegion("eu-west-1"))))
                .isEqualTo("https://s3.eu-west-1.amazonaws.com/b.dots");
        assertThat(url(find("bu", plain, "AWS_DEFAULT_REGION", "cn-north-1")))
                .isEqualTo("https://bu.s3.cn-north-1.amazonaws.com.cn");
        assertThat(url(find("bu", plain.withPathStyle(S3Options.PathStyle.ON), "AWS_USE_DUALSTACK_ENDPOINT", "true")))
                .isEqualTo("https://s3.dualstack.us-east-1.amazonaws.com/bu");
        Bucket moved = find("bu", plain).in("ap-south-1");
        assertThat(url(moved)).isEqualTo("https://bu.s3.ap-south-1.amazonaws.com");
        assertThat(moved.origin()).isEqualTo("s3://bu");
    }

    @Test
    void elsewhere() throws Exception {
        S3Options minio = S3Options.DEFAULT.withEndpoint("http://127.0.0.1:9000");
        Bucket bucket = find("bu", minio);
        assertThat(url(bucket)).isEqualTo("http://127.0.0.1:9000/bu");
        assertThat(bucket.region()).isEqualTo("us-east-1");
        assertThat(bucket.origin()).isEqualTo("s3://bu@127.0.0.1:9000");
        assertThat(url(find("bu", S3Options.DEFAULT.withEndpoint("storage.example.com/base/"))))
                .isEqualTo("https://storage.example.com/base/bu");
        assertThat(url(find(
                        "bu", minio.withEndpoint("https://oss.example.com").withPathStyle(S3Options.PathStyle.OFF))))
                .isEqualTo("https://bu.oss.example.com");
        assertThat(url(find("bu", S3Options.DEFAULT, "AWS_ENDPOINT_URL", "http://[::1]:9000")))
                .isEqualTo("http://[::1]:9000/bu");
    }

    @Test
    void fromTheProfile() throws Exception {
        Path config = Files.createDirectories(home.resolve(".aws")).resolve("config");
        Files.writeString(config, """
                [default]
                region = eu-north-1
                [profile minio]
                services = local
                [services local]
                s3 =
                  endpoint_url = http://127.0.0.1:9001
                """);
        assertThat(find("bu", S3Options.DEFAULT).region()).isEqualTo("eu-north-1");
        assertThat(find("bu", S3Options.DEFAULT, "AWS_REGION", "eu-west-3").region())
                .isEqualTo("eu-west-3");
        assertThat(url(find("bu", S3Options.DEFAULT, "AWS_PROFILE", "minio"))).isEqualTo("http://127.0.0.1:9001/bu");
        assertThat(url(find("bu", S3Options.DEFAULT.withProfile("minio")))).isEqualTo("http://127.0.0.1:9001/bu");
        assertThat(find("bu", S3Options.DEFAULT.withProfile("minio"), "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
                        .custom())
                .isFalse();
    }

    @Test
    void nonsenseIsRefusedWithoutRepeatingIt() {
        assertThatThrownBy(() -> find("bu", S3Options.DEFAULT.withEndpoint("http://u:planted@ x")))
                .isInstanceOf(SourceException.class)
                .hasMessageNotContaining("planted");
        assertThatThrownBy(() -> find("bu", S3Options.DEFAULT.withRegion("evil.example.com/")))
                .isInstanceOf(SourceException.class);
    }
}
