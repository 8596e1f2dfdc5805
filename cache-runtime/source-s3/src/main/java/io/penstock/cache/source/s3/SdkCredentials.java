package io.penstock.cache.source.s3;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.source.SourceException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.InstanceProfileCredentialsProvider;
import software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.StsClientBuilder;
import software.amazon.awssdk.services.sts.auth.StsWebIdentityTokenFileCredentialsProvider;
import software.amazon.awssdk.utils.SdkAutoCloseable;

/**
 * The AWS SDK's ways to credentials, in its order: web identity, profile (static, role, SSO, process), container,
 * instance. The one that worked first is kept, remembers and refreshes by itself.
 */
final class SdkCredentials implements CredentialSource {
    private final S3Options options;
    private final ProfileFiles profiles;
    private AwsCredentialsProvider chosen;

    SdkCredentials(S3Options options, ProfileFiles profiles) {
        this.options = options;
        this.profiles = profiles;
    }

    @Override
    public boolean isInstant() {
        return false;
    }

    @Override
    public synchronized Credentials get() throws SourceException {
        try {
            return of(chosen == null ? choose() : chosen.resolveCredentials());
        } catch (SdkException
                | IllegalArgumentException
                | IllegalStateException
                | java.time.DateTimeException
                | UncheckedIOException e) {
            throw none(List.of(e));
        }
    }

    private AwsCredentials choose() throws SourceException {
        List<Exception> reasons = new ArrayList<>();
        for (Way way : ways()) {
            AwsCredentialsProvider provider = null;
            try {
                provider = way.provider();
                AwsCredentials found = provider.resolveCredentials();
                chosen = provider;
                return found;
            } catch (SdkException
                    | IllegalArgumentException
                    | IllegalStateException
                    | java.time.DateTimeException
                    | UncheckedIOException e) {
                close(provider);
                reasons.add(e);
            }
        }
        throw none(reasons);
    }

    /** Makes a provider; may throw what the SDK throws. */
    private interface Way {
        AwsCredentialsProvider provider();
    }

    private List<Way> ways() {
        List<Way> ways = new ArrayList<>();
        boolean profileAsked = options.profile().isPresent();
        String token = options.variable("AWS_WEB_IDENTITY_TOKEN_FILE");
        String role = options.variable("AWS_ROLE_ARN");
        if (!profileAsked && token != null && role != null) {
            ways.add(() -> webIdentity(token, role));
        }
        if (profileAsked || profiles.exist()) {
            ways.add(() -> ProfileCredentialsProvider.builder()
                    .profileFile(profiles.supplier())
                    .profileName(profiles.name())
                    .build());
        }
        boolean container = options.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") != null
                || options.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") != null;
        if (!profileAsked && container) {
            ways.add(() -> new ContainerCredentials(options));
        }
        if (!profileAsked && !container && !options.isSet("AWS_EC2_METADATA_DISABLED")) {
            ways.add(() -> InstanceProfileCredentialsProvider.builder()
                    .profileFile(profiles.supplier())
                    .profileName(profiles.name())
                    .build());
        }
        return ways;
    }

    private AwsCredentialsProvider webIdentity(String token, String role) {
        String region = options.region().orElse(options.variable("AWS_REGION"));
        StsClientBuilder client = StsClient.builder()
                .httpClient(UrlConnectionHttpClient.create())
                .region(Region.of(region == null ? "us-east-1" : region))
                .credentialsProvider(software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider.create());
        String endpoint = options.variable("AWS_ENDPOINT_URL_STS");
        if (endpoint != null) {
            client.endpointOverride(java.net.URI.create(endpoint));
        }
        String session = options.variable("AWS_ROLE_SESSION_NAME");
        return StsWebIdentityTokenFileCredentialsProvider.builder()
                .stsClient(client.build())
                .webIdentityTokenFile(Path.of(token))
                .roleArn(role)
                .roleSessionName(session == null ? "penstock" : session)
                .build();
    }

    private static Credentials of(AwsCredentials found) {
        String token = found instanceof AwsSessionCredentials session ? session.sessionToken() : null;
        return new Credentials(found.accessKeyId(), found.secretAccessKey(), token);
    }

    /** The reasons are named by kind only: their messages may quote a file or an answer. */
    private static SourceException none(List<Exception> reasons) {
        return new SourceException(
                ErrorCode.ORIGIN_NO_CREDENTIALS,
                "no AWS credentials were found, or they could not be fetched",
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile, or use anonymous=true",
                false,
                reasons.isEmpty() ? null : reasons.getFirst());
    }

    @Override
    public synchronized void invalidate() {
        close(chosen);
        chosen = null;
    }

    private static void close(AwsCredentialsProvider provider) {
        if (provider instanceof SdkAutoCloseable closeable) {
            closeable.close();
        }
    }

    @Override
    public void close() {
        invalidate();
    }
}
