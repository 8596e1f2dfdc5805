package io.penstock.cache.source.s3;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.protocols.jsoncore.JsonNode;
import software.amazon.awssdk.utils.SdkAutoCloseable;
import software.amazon.awssdk.utils.cache.CachedSupplier;
import software.amazon.awssdk.utils.cache.RefreshResult;

/**
 * Credentials from the endpoint that a container is given: ECS, EKS Pod Identity. The SDK's own way there looks at the
 * environment of this process, but it is the one who asked for the source who was given the endpoint. Thread-safe.
 */
final class ContainerCredentials implements AwsCredentialsProvider, SdkAutoCloseable {
    private static final String ECS = "http://169.254.170.2";
    private static final Set<String> KNOWN = Set.of("169.254.170.2", "169.254.170.23", "[fd00:ec2::23]");
    private static final Duration STALE = Duration.ofMinutes(1);
    private static final Duration PREFETCH = Duration.ofMinutes(15);
    private static final int TIMEOUT_MILLIS = 5000;
    private static final int LONGEST_ANSWER = 64 << 10;

    private final S3Options options;
    private final URI uri;
    private final CachedSupplier<AwsCredentials> known;

    ContainerCredentials(S3Options options) {
        this.options = options;
        String relative = options.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
        uri = URI.create(relative == null ? options.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") : ECS + relative);
        if (!mayBeAsked(uri)) {
            throw new IllegalArgumentException("the endpoint for container credentials is none that may be asked");
        }
        known = CachedSupplier.builder(this::fetch)
                .cachedValueName("container credentials")
                .build();
    }

    /** In the clear only on this machine. */
    private static boolean mayBeAsked(URI uri) {
        if ("https".equalsIgnoreCase(uri.getScheme())) {
            return true;
        }
        try {
            return "http".equalsIgnoreCase(uri.getScheme())
                    && uri.getHost() != null
                    && (KNOWN.contains(uri.getHost())
                            || InetAddress.getByName(uri.getHost()).isLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public AwsCredentials resolveCredentials() {
        return known.get();
    }

    private RefreshResult<AwsCredentials> fetch() {
        JsonNode answer;
        try {
            answer = JsonNode.parser().parse(ask());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        String key = text(answer, "AccessKeyId");
        String secret = text(answer, "SecretAccessKey");
        if (key == null || secret == null) {
            throw new IllegalStateException("the endpoint for container credentials gave none");
        }
        String token = text(answer, "Token");
        String end = text(answer, "Expiration");
        Instant until = end == null ? Instant.MAX : Instant.parse(end);
        return RefreshResult.<AwsCredentials>builder(
                        token == null
                                ? AwsBasicCredentials.create(key, secret)
                                : AwsSessionCredentials.create(key, secret, token))
                .staleTime(end == null ? null : until.minus(STALE))
                .prefetchTime(end == null ? null : until.minus(PREFETCH))
                .build();
    }

    private static String text(JsonNode answer, String field) {
        return answer.field(field).map(JsonNode::text).orElse(null);
    }

    private String ask() throws IOException {
        HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection(java.net.Proxy.NO_PROXY);
        try {
            connection.setConnectTimeout(TIMEOUT_MILLIS);
            connection.setReadTimeout(TIMEOUT_MILLIS);
            connection.setInstanceFollowRedirects(false);
            connection.setRequestProperty("Accept", "application/json");
            String authorization = authorization();
            if (authorization != null) {
                connection.setRequestProperty("Authorization", authorization);
            }
            if (connection.getResponseCode() != HttpURLConnection.HTTP_OK) {
                throw new IOException("the endpoint for container credentials answers " + connection.getResponseCode());
            }
            try (InputStream body = connection.getInputStream()) {
                return new String(body.readNBytes(LONGEST_ANSWER), StandardCharsets.UTF_8);
            }
        } finally {
            connection.disconnect();
        }
    }

    /** Read again each time, as the kubelet renews the file. */
    private String authorization() throws IOException {
        String file = options.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
        return file == null
                ? options.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN")
                : Files.readString(Path.of(file)).strip();
    }

    @Override
    public void close() {
        known.close();
    }
}
