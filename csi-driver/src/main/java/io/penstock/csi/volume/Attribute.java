package io.penstock.csi.volume;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Everything that {@code volumeAttributes} may say. What is not listed here is refused. */
public enum Attribute {
    VOLUME("volume", "model, control", "model", "What the pod gets: a model, or a socket to ask the node's daemon at"),
    SOURCE(
            "source",
            "s3://bucket/prefix, https://host/dir/, http://host/dir/",
            "",
            "Where the model lies; required for a model"),
    SNAPSHOT(
            "snapshot",
            "sha256: and 64 hex digits",
            "",
            "The only snapshot that will do, whatever the origin has become"),
    ENDPOINT("endpoint", "http(s)://host[:port]", "", "An S3 server other than AWS"),
    REGION("region", "a region", "", "Region of the bucket"),
    PATH_STYLE("path-style", "auto, on, off", "auto", "Whether the bucket's name is part of the path"),
    ANONYMOUS("anonymous", "true, false", "false", "Requests are not signed"),
    REQUESTER_PAYS("requester-pays", "true, false", "false", "The requester pays for the transfer"),
    ACCESS("access", "auto, fuse, direct", "auto", "How the pod reaches the bytes"),
    PREFETCH("prefetch", "reading-order, all, trace, none", "csi.prefetch", "What is fetched from publish on, unasked"),
    CREDENTIALS("credentials", "auto, secret, pod, node", "auto", "Whose credentials are used"),
    ROLE_ARN("role-arn", "an ARN", "", "Role that the pod's token is exchanged for"),
    STS_ENDPOINT("sts-endpoint", "http(s)://host[:port]", "", "Where it is exchanged, if not at AWS");

    private static final String WORD_BREAK = ", ";

    private final String key;
    private final String form;
    private final String fallback;
    private final String description;

    Attribute(String key, String form, String fallback, String description) {
        this.key = key;
        this.form = form;
        this.fallback = fallback;
        this.description = description;
    }

    static Optional<Attribute> of(String key) {
        return Arrays.stream(values()).filter(a -> a.key.equals(key)).findFirst();
    }

    public String key() {
        return key;
    }

    /** What may be written, for documents and messages. */
    public String form() {
        return form;
    }

    /** What holds when it is not written; empty: nothing. */
    public String fallback() {
        return fallback;
    }

    public String description() {
        return description;
    }

    boolean accepts(String value) {
        return switch (this) {
            case SOURCE -> Location.isOne(value);
            case ENDPOINT, STS_ENDPOINT -> Location.isServer(value);
            case SNAPSHOT -> value.matches("sha256:[0-9a-f]{64}");
            case REGION -> value.matches("[a-z0-9][a-z0-9-]{0,62}");
            case ROLE_ARN -> value.matches("arn:[A-Za-z0-9_+=,.@:/-]{1,2000}");
            default -> List.of(form.split(WORD_BREAK, -1)).contains(value);
        };
    }

    /** Locations are kept on the disk and shown in the mount table: none with anything secret in it is taken. */
    private static final class Location {
        private static final int LONGEST = 1024;
        private static final Pattern SHAPE = Pattern.compile("([a-z][a-z0-9]{0,15})://([^/?#@\\\\]+)(/[^?#\\\\]*)?");
        private static final Pattern DIRECTORY = Pattern.compile("/[^\\\\]*");

        static boolean isOne(String text) {
            if (text.length() > LONGEST || text.chars().anyMatch(Character::isISOControl)) {
                return false;
            }
            boolean shaped =
                    SHAPE.matcher(text).matches() || DIRECTORY.matcher(text).matches();
            return shaped && Arrays.stream(text.split("/", -1)).noneMatch(s -> s.equals("..") || s.equals("."));
        }

        static boolean isServer(String text) {
            if (text.length() > LONGEST) {
                return false;
            }
            try {
                URI uri = new URI(text);
                return ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))
                        && uri.getHost() != null
                        && uri.getRawUserInfo() == null
                        && uri.getRawQuery() == null
                        && uri.getRawFragment() == null
                        && (uri.getRawPath().isEmpty() || uri.getRawPath().equals("/"));
            } catch (URISyntaxException e) {
                return false;
            }
        }
    }
}
