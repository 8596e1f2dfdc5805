package io.penstock.csi.volume;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.model.SourceEnvironment;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;

/**
 * The environment that a volume's source is opened with. It holds secrets: it goes to the daemon, stays in the memory of
 * both processes, and is never written to a disk.
 */
final class Credentials {
    static final String AUDIENCE = "sts.amazonaws.com";

    private static final Map<String, String> SECRETS = Map.of(
            "access-key-id", "AWS_ACCESS_KEY_ID",
            "secret-access-key", "AWS_SECRET_ACCESS_KEY",
            "session-token", "AWS_SESSION_TOKEN",
            "AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN", "AWS_SESSION_TOKEN");
    private static final int LONGEST = 64 << 10;
    private static final JsonFactory JSON = new JsonFactory();

    /** Nothing of the daemon's own may take the place of what is missing. */
    private static final Map<String, String> ALONE = Map.of(
            SourceEnvironment.ALONE,
            "true",
            "AWS_EC2_METADATA_DISABLED",
            "true",
            "AWS_SHARED_CREDENTIALS_FILE",
            "/dev/null",
            "AWS_CONFIG_FILE",
            "/dev/null");

    private final Map<String, String> keys;
    private final String token;

    private Credentials(Map<String, String> keys, String token) {
        this.keys = keys;
        this.token = token;
    }

    /**
     * What came with a request.
     *
     * @throws PenstockException {@code UNKNOWN_KEY} or {@code BAD_VALUE}; never with a value in it
     */
    static Credentials of(Map<String, String> context, Map<String, String> secrets) throws PenstockException {
        Map<String, String> keys = new TreeMap<>();
        for (Map.Entry<String, String> secret : secrets.entrySet()) {
            if (secret.getKey().equals(PodInfo.TOKENS)) {
                continue;
            }
            String variable = SECRETS.get(secret.getKey());
            if (variable == null) {
                throw Refusals.unknown(
                        "secret key", secret.getKey(), "access-key-id, secret-access-key, session-token");
            }
            String value = secret.getValue().strip();
            if (value.length() > LONGEST || value.chars().anyMatch(c -> c < ' ')) {
                throw Refusals.bad(
                        "the value of secret key " + secret.getKey() + " is no credential", "Check the Secret.");
            }
            keys.put(variable, value);
        }
        String tokens = secrets.getOrDefault(PodInfo.TOKENS, context.getOrDefault(PodInfo.TOKENS, ""));
        return new Credentials(keys, tokens.isEmpty() ? "" : token(tokens));
    }

    /** Whether an environment holds what came with a request, and could not be made again without one. */
    static boolean isOwn(Map<String, String> environment) {
        return environment.containsKey("AWS_ACCESS_KEY_ID")
                || environment.containsKey(SourceEnvironment.WEB_IDENTITY_TOKEN);
    }

    /** Whether a volume may have been published with credentials of its own; where that was not written down. */
    static boolean mayBeOwn(VolumeSpec spec) {
        return spec.source().startsWith("s3:") && !spec.is(Attribute.ANONYMOUS) && spec.identity() != Identity.NODE;
    }

    /** The environment for a volume; {@code nodeAllowed}: whether the daemon's own credentials may be used for it. */
    Map<String, String> environment(VolumeSpec spec, boolean nodeAllowed) throws PenstockException {
        if (!spec.source().startsWith("s3:") || spec.is(Attribute.ANONYMOUS)) {
            return ALONE;
        }
        Identity identity = spec.identity();
        if (identity == Identity.AUTO) {
            boolean role = spec.attributes().containsKey(Attribute.ROLE_ARN.key());
            identity = !keys.isEmpty() ? Identity.SECRET : role ? Identity.POD : Identity.NODE;
        }
        return switch (identity) {
            case SECRET -> secret();
            case POD -> pod(spec);
            default -> node(nodeAllowed);
        };
    }

    private Map<String, String> secret() throws PenstockException {
        if (!keys.containsKey("AWS_ACCESS_KEY_ID") || !keys.containsKey("AWS_SECRET_ACCESS_KEY")) {
            throw missing(
                    "the volume's secret has no access-key-id and secret-access-key",
                    "Name a Secret with both in nodePublishSecretRef.");
        }
        return with(keys);
    }

    private Map<String, String> pod(VolumeSpec spec) throws PenstockException {
        String role = spec.get(Attribute.ROLE_ARN);
        if (role.isEmpty()) {
            throw Refusals.bad("credentials are the pod's, but role-arn is missing", "Name the role that it may take.");
        }
        if (token.isEmpty()) {
            throw missing(
                    "the kubelet sent no service account token for " + AUDIENCE,
                    "The CSIDriver object must have that audience among its tokenRequests.");
        }
        Map<String, String> more = new TreeMap<>();
        more.put("AWS_ROLE_ARN", role);
        more.put(SourceEnvironment.WEB_IDENTITY_TOKEN, token);
        more.put(
                SourceEnvironment.IDENTITY,
                spec.pod().namespace() + "/" + spec.pod().serviceAccount());
        if (!spec.get(Attribute.STS_ENDPOINT).isEmpty()) {
            more.put("AWS_ENDPOINT_URL_STS", spec.get(Attribute.STS_ENDPOINT));
        }
        return with(more);
    }

    private static Map<String, String> node(boolean allowed) throws PenstockException {
        if (!allowed) {
            throw new PenstockException(
                    ErrorCode.NOT_PERMITTED,
                    "the volume names no credentials, and those of the node may not be used for it",
                    "Name a Secret in nodePublishSecretRef, or a role-arn, or set anonymous=true; csi.node-credentials says"
                            + " which volumes may use the node's.");
        }
        return Map.of();
    }

    private static Map<String, String> with(Map<String, String> more) {
        Map<String, String> all = new TreeMap<>(ALONE);
        all.putAll(more);
        return all;
    }

    /** From {@code {"audience":{"token":"...","expirationTimestamp":"..."}}}. */
    private static String token(String json) throws PenstockException {
        if (json.length() > LONGEST) {
            throw badTokens();
        }
        try (JsonParser in = JSON.createParser(json)) {
            String found = "";
            if (in.nextToken() != JsonToken.START_OBJECT) {
                throw badTokens();
            }
            while (in.nextToken() == JsonToken.FIELD_NAME) {
                boolean ours = in.currentName().equals(AUDIENCE);
                if (in.nextToken() != JsonToken.START_OBJECT) {
                    throw badTokens();
                }
                while (in.nextToken() == JsonToken.FIELD_NAME) {
                    boolean value = in.currentName().equals("token");
                    in.nextToken();
                    if (ours && value) {
                        found = in.getText();
                    }
                    in.skipChildren();
                }
            }
            return found;
        } catch (PenstockException e) {
            throw e;
        } catch (IOException e) {
            throw badTokens(); // without its cause, which quotes the text
        }
    }

    private static PenstockException badTokens() {
        return Refusals.bad(
                "the service account tokens cannot be read", "They come from the kubelet; see tokenRequests.");
    }

    private static PenstockException missing(String what, String remedy) {
        return new PenstockException(ErrorCode.ORIGIN_NO_CREDENTIALS, what, remedy);
    }

    /** Nothing of them. */
    @Override
    public String toString() {
        return "credentials";
    }
}
