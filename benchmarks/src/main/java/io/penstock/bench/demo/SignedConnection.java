package io.penstock.bench.demo;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** One keep-alive connection to an S3 server over plain HTTP; requests are signed (AWS signature version 4). For one thread. */
final class SignedConnection implements AutoCloseable {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);
    private static final String REGION = "us-east-1";
    private static final String SIGNED = "host;range;x-amz-content-sha256;x-amz-date";
    private static final int HEAD = 16 << 10;

    private final SocketChannel channel;
    private final String host;
    private final String accessKey;
    private final String secretKey;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(HEAD).limit(0);

    SignedConnection(InetSocketAddress address, String accessKey, String secretKey) throws IOException {
        this.channel = SocketChannel.open(address);
        this.host = address.getHostString() + ":" + address.getPort();
        this.accessKey = accessKey;
        this.secretKey = secretKey;
    }

    /** Gets the bytes of {@code key} (of plain ASCII) from {@code offset} on; as many as {@code into} has room for. */
    void get(String key, long offset, ByteBuffer into) throws IOException {
        String range = "bytes=" + offset + "-" + (offset + into.remaining() - 1);
        ByteBuffer request = StandardCharsets.US_ASCII.encode(signed("/" + key, range, Instant.now()));
        while (request.hasRemaining()) {
            channel.write(request);
        }
        String head = head();
        if (!head.startsWith("HTTP/1.1 206")) {
            throw new IOException(key + ": " + head.lines().findFirst().orElse("no answer"));
        }
        ByteBuffer early = buffer.slice(buffer.position(), Math.min(buffer.remaining(), into.remaining()));
        buffer.position(buffer.position() + early.remaining());
        into.put(early);
        while (into.hasRemaining()) {
            if (channel.read(into) < 0) {
                throw new EOFException(key + ": the answer is too short");
            }
        }
    }

    private String head() throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            if (!buffer.hasRemaining()) {
                int read = channel.read(buffer.clear());
                buffer.flip();
                if (read < 0) {
                    throw new EOFException("the server closed the connection");
                }
            }
            head.append((char) buffer.get());
        }
        return head.toString();
    }

    private String signed(String path, String range, Instant now) {
        String time = TIME.format(now);
        String scope = time.substring(0, 8) + "/" + REGION + "/s3/aws4_request";
        String canonical = "GET\n" + path + "\n\nhost:" + host + "\nrange:" + range
                + "\nx-amz-content-sha256:UNSIGNED-PAYLOAD\nx-amz-date:" + time + "\n\n" + SIGNED
                + "\nUNSIGNED-PAYLOAD";
        String text = "AWS4-HMAC-SHA256\n" + time + "\n" + scope + "\n"
                + HexFormat.of().formatHex(sha256(canonical));
        byte[] key = ("AWS4" + secretKey).getBytes(StandardCharsets.UTF_8);
        for (String part : scope.split("/", -1)) {
            key = hmac(key, part);
        }
        return "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nRange: " + range
                + "\r\nx-amz-content-sha256: UNSIGNED-PAYLOAD\r\nx-amz-date: " + time
                + "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=" + accessKey + "/" + scope + ", SignedHeaders="
                + SIGNED
                + ", Signature=" + HexFormat.of().formatHex(hmac(key, text)) + "\r\n\r\n";
    }

    private static byte[] sha256(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    private static byte[] hmac(byte[] key, String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java has HmacSHA256", e);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
