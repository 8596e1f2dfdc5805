package io.penstock.cache.source.s3;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.source.Percent;
import io.penstock.cache.source.net.Authority;
import io.penstock.cache.source.net.HttpRequest;
import java.net.URI;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awssdk.http.SdkHttpFullRequest;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.http.auth.spi.signer.HttpSigner;
import software.amazon.awssdk.identity.spi.AwsCredentialsIdentity;
import software.amazon.awssdk.identity.spi.AwsSessionCredentialsIdentity;

/** Our signatures are those of the AWS SDK. */
class SigV4Test {
    private static final Instant NOW = Instant.parse("2026-11-22T23:59:59Z");

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            https://bucket.s3.eu-west-1.amazonaws.com | a/b.bin            |                            | token | false
            http://127.0.0.1:9000                     | a b+c%/ä/日本~.bin |                            |       | false
            https://s3.us-east-1.amazonaws.com        | x                  |                            | t/+=  | true
            http://localhost:80                       |                    | list-type=2&prefix=a%20b%2F |       | false
            """)
    void asTheSdkSigns(String endpoint, String key, String query, String token, boolean payer) {
        String path = "/" + (key == null ? "" : Percent.path(key));
        String parameters = query == null ? "" : query;
        Map<String, String> more = payer ? Map.of("x-amz-request-payer", "requester") : Map.of();
        HttpRequest request = HttpRequest.get(
                Authority.of(URI.create(endpoint)), parameters.isEmpty() ? path : path + "?" + parameters);
        SigV4 signer = new SigV4();
        signer.sign(request, path, parameters, more, new Credentials("AKID", "secret/+", token), "eu-west-1", NOW);

        assertThat(request.headerValue("Authorization")).isEqualTo(sdk(endpoint + path, parameters, token, more));
        // A second time, with the remembered key.
        HttpRequest again = HttpRequest.get(request.authority(), request.target());
        signer.sign(again, path, parameters, more, new Credentials("AKID", "secret/+", token), "eu-west-1", NOW);
        assertThat(again.headerValue("Authorization")).isEqualTo(request.headerValue("Authorization"));
    }

    private static String sdk(String uri, String query, String token, Map<String, String> more) {
        SdkHttpFullRequest.Builder request = SdkHttpFullRequest.builder()
                .method(SdkHttpMethod.GET)
                .uri(URI.create(query.isEmpty() ? uri : uri + "?" + query));
        more.forEach(request::putHeader);
        SdkHttpRequest unsigned = request.build();
        AwsCredentialsIdentity identity = token == null
                ? AwsCredentialsIdentity.create("AKID", "secret/+")
                : AwsSessionCredentialsIdentity.create("AKID", "secret/+", token);
        return AwsV4HttpSigner.create()
                .sign(r -> r.identity(identity)
                        .request(unsigned)
                        .putProperty(AwsV4HttpSigner.SERVICE_SIGNING_NAME, "s3")
                        .putProperty(AwsV4HttpSigner.REGION_NAME, "eu-west-1")
                        .putProperty(AwsV4HttpSigner.DOUBLE_URL_ENCODE, false)
                        .putProperty(AwsV4HttpSigner.NORMALIZE_PATH, false)
                        .putProperty(AwsV4HttpSigner.PAYLOAD_SIGNING_ENABLED, false)
                        .putProperty(HttpSigner.SIGNING_CLOCK, Clock.fixed(NOW, ZoneOffset.UTC)))
                .request()
                .firstMatchingHeader("Authorization")
                .orElseThrow();
    }
}
