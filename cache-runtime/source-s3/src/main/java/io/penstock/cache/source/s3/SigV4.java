package io.penstock.cache.source.s3;

import io.penstock.cache.source.net.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * AWS Signature Version 4 for S3 requests without a body. Signs the host and the headers of Amazon's own; ranges and
 * conditions stay unsigned, as what they bring is checked in the answer. Thread-safe.
 */
final class SigV4 {
    private static final String ALGORITHM = "AWS4-HMAC-SHA256";
    private static final String NO_PAYLOAD = "UNSIGNED-PAYLOAD";
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

    /** A key derived for one day; costs four hashes, so it is kept. */
    private static final class DayKey {
        private final String day;
        private final String region;
        private final String secret;
        private final byte[] key;

        DayKey(String day, String region, String secret, byte[] key) {
            this.day = day;
            this.region = region;
            this.secret = secret;
            this.key = key;
        }
    }

    private volatile DayKey last;

    /**
     * Adds the headers that sign {@code request}.
     *
     * @param query parameters in order of their names, both encoded, as they stand in the request's target
     * @param more headers of Amazon's own, in lower case, to add and sign
     */
    void sign(
            HttpRequest request,
            String path,
            String query,
            Map<String, String> more,
            Credentials credentials,
            String region,
            Instant now) {
        String stamp = STAMP.format(now);
        String day = stamp.substring(0, 8);
        SortedMap<String, String> signed = new TreeMap<>(more);
        signed.put("x-amz-content-sha256", NO_PAYLOAD);
        signed.put("x-amz-date", stamp);
        if (credentials.token() != null) {
            signed.put("x-amz-security-token", credentials.token());
        }
        signed.forEach(request::header);
        signed.put("host", request.authority().hostHeader());

        StringBuilder canonical = new StringBuilder(1024)
                .append(request.method())
                .append('\n')
                .append(path)
                .append('\n')
                .append(query)
                .append('\n');
        signed.forEach((name, value) ->
                canonical.append(name).append(':').append(value.strip()).append('\n'));
        String names = String.join(";", signed.keySet());
        canonical.append('\n').append(names).append('\n').append(NO_PAYLOAD);

        String scope = day + "/" + region + "/s3/aws4_request";
        String text = ALGORITHM + "\n" + stamp + "\n" + scope + "\n" + sha256(canonical.toString());
        String signature = HexFormat.of().formatHex(hmac(key(day, region, credentials.secretKey()), text));
        request.header(
                "Authorization",
                ALGORITHM + " Credential=" + credentials.accessKey() + "/" + scope + ", SignedHeaders=" + names
                        + ", Signature=" + signature);
    }

    private byte[] key(String day, String region, String secret) {
        DayKey known = last;
        if (known != null && known.day.equals(day) && known.region.equals(region) && known.secret.equals(secret)) {
            return known.key;
        }
        byte[] key = ("AWS4" + secret).getBytes(StandardCharsets.UTF_8);
        for (String part : new String[] {day, region, "s3", "aws4_request"}) {
            key = hmac(key, part);
        }
        last = new DayKey(day, region, secret, key);
        return key;
    }

    private static byte[] hmac(byte[] key, String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has HmacSHA256", e);
        }
    }

    private static String sha256(String text) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
