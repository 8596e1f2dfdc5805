package io.penstock.operator.plugin;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RedactionTest {
    private static final String SECRET = "p1anted-S3cret/0123456789";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "secret-access-key: %s",
                "    AWS_SECRET_ACCESS_KEY=%s next",
                "{\"session-token\": \"%s\", \"a\": 1}",
                "Authorization: Bearer %s",
                "GET /x?X-Amz-Signature=%s&y=1",
                "password: '%s'",
                "https://user:%s@s3.example/x",
                "- name: MY_API_KEY\n  value: %s\n",
                "- name: DB_PASSWORD\n  value: \"%s\"\n",
                "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----"
            })
    void a_secret_goes_wherever_it_stands(String text) {
        assertThat(Redaction.of(text.formatted(SECRET)))
                .doesNotContain("p1anted")
                .contains(Redaction.GONE);
    }

    @Test
    void keys_and_tokens_are_known_by_their_form() {
        assertThat(Redaction.of("x AKIAIOSFODNN7EXAMPLE y eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln z"))
                .isEqualTo("x " + Redaction.GONE + " y " + Redaction.GONE + " z");
    }

    @Test
    void what_is_needed_stays() {
        String text = """
                kind: Dataset
                spec:
                  mounts:
                    - mountPoint: s3://models/llama-70b
                      encryptOptions:
                        - name: session-token
                          valueFrom:
                            secretKeyRef:
                              name: s3
                message: PEN-0402 the origin denies access
                """;
        assertThat(Redaction.of(text)).isEqualTo(text);
    }
}
