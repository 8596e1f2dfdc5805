package io.penstock.cache.runtime;

import io.penstock.cache.source.FaultyOrigin;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * An S3 server whose credentials change with the time: those of one period are refused, as expired, in the next. Checks
 * every signature and token.
 */
final class SignedOrigin implements AutoCloseable {
    static final String BUCKET = "bucket";
    private static final Pattern AUTHORIZATION = Pattern.compile(
            "AWS4-HMAC-SHA256 Credential=AK(\\d+)/(\\d+)/([^/]+)/s3/aws4_request, SignedHeaders=([^,]+), Signature=(.*)");

    private final FaultyOrigin origin;
    private final Duration period;
    private final Set<Long> used = new ConcurrentSkipListSet<>();
    private final AtomicInteger expired = new AtomicInteger();
    private final Set<String> forged = ConcurrentHashMap.newKeySet();

    private SignedOrigin(FaultyOrigin origin, Duration period) {
        this.origin = origin;
        this.period = period;
    }

    static SignedOrigin start(Duration period) throws IOException {
        SignedOrigin signed = new SignedOrigin(FaultyOrigin.start(), period);
        signed.origin.script(signed::check);
        return signed;
    }

    FaultyOrigin origin() {
        return origin;
    }

    /** A program for a profile's {@code credential_process}, which gives the credentials of now. */
    String credentialProcess(boolean announcesTheEnd) {
        String end = announcesTheEnd ? "$(( (n + 1) * %1$d / 1000 ))" : "$(( $(date +%%s) + 3600 ))";
        return ("""
                #!/bin/sh
                n=$(( $(date +%%s%%3N) / %1$d ))
                end=$(date -u -d @""" + end + """
                 +%%Y-%%m-%%dT%%H:%%M:%%SZ)
                printf '{"Version":1,"AccessKeyId":"AK%%s","SecretAccessKey":"secret-%%s",' $n $n
                printf '"SessionToken":"token-%%s","Expiration":"%%s"}' $n $end
                """).formatted(period.toMillis());
    }

    /** Periods whose credentials were taken. */
    Set<Long> used() {
        return new TreeSet<>(used);
    }

    /** Requests refused because their credentials were of an earlier period. */
    int expired() {
        return expired.get();
    }

    /** Signatures and tokens that were wrong. */
    Set<String> forged() {
        return Set.copyOf(forged);
    }

    /** Null when the request may pass. */
    private String check(FaultyOrigin.Request request) {
        Matcher authorization = AUTHORIZATION.matcher(request.headers().getOrDefault("authorization", ""));
        if (!authorization.matches()) {
            forged.add("unsigned " + request.target());
            return refusal("403 Forbidden", "AccessDenied");
        }
        long number = Long.parseLong(authorization.group(1));
        boolean right = signature(request, authorization).equals(authorization.group(5))
                && ("token-" + number).equals(request.headers().get("x-amz-security-token"));
        if (!right) {
            forged.add("AK" + number + " " + request.target());
            return refusal("403 Forbidden", "SignatureDoesNotMatch");
        }
        if (number != System.currentTimeMillis() / period.toMillis()) {
            expired.incrementAndGet();
            return refusal("400 Bad Request", "ExpiredToken");
        }
        used.add(number);
        return null;
    }

    private static String refusal(String status, String code) {
        String body = "<Error><Code>" + code + "</Code><Message>refused</Message></Error>";
        return "HTTP/1.1 " + status + "\r\nContent-Type: application/xml\r\nContent-Length: " + body.length()
                + "\r\n\r\n" + body;
    }

    private static String signature(FaultyOrigin.Request request, Matcher authorization) {
        Map<String, String> headers = request.headers();
        String[] target = request.target().split("\\?", 2);
        String query = target.length == 1
                ? ""
                : Arrays.stream(target[1].split("&", -1)).sorted().collect(Collectors.joining("&"));
        String names = authorization.group(4);
        String signed = Arrays.stream(names.split(";", -1))
                .map(name -> name + ":" + headers.get(name) + "\n")
                .collect(Collectors.joining());
        String canonical = String.join(
                "\n", request.method(), target[0], query, signed, names, headers.get("x-amz-content-sha256"));
        String scope = authorization.group(2) + "/" + authorization.group(3) + "/s3/aws4_request";
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(canonical.getBytes(StandardCharsets.UTF_8));
            byte[] key = ("AWS4secret-" + authorization.group(1)).getBytes(StandardCharsets.UTF_8);
            for (String part : scope.split("/", -1)) {
                key = hmac(key, part);
            }
            String text = "AWS4-HMAC-SHA256\n" + headers.get("x-amz-date") + "\n" + scope + "\n"
                    + HexFormat.of().formatHex(digest);
            return HexFormat.of().formatHex(hmac(key, text));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] hmac(byte[] key, String text) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void close() throws IOException {
        origin.close();
    }
}
