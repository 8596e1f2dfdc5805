package io.penstock.bench.demo;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.nio2blob.FilesystemNio2BlobStore;

/** An S3 server (S3Proxy) inside this process, over a directory, with random keys; it verifies signatures. */
final class ModelStore implements AutoCloseable {
    static final String BUCKET = "models";

    private static final String ETAG = "user.content-md5";
    private static final int PART = 8 << 20;
    private static final int THREADS = 64;

    private final S3Proxy server;
    private final Path root;
    private final String accessKey;
    private final String secretKey;

    private ModelStore(S3Proxy server, Path root, String accessKey, String secretKey) {
        this.server = server;
        this.root = root;
        this.accessKey = accessKey;
        this.secretKey = secretKey;
    }

    static ModelStore start(Path root) throws IOException {
        SecureRandom random = new SecureRandom();
        InetSocketAddress anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        return start(root, anyPort, hex(random, 10), hex(random, 20));
    }

    static ModelStore start(Path root, InetSocketAddress address, String accessKey, String secretKey)
            throws IOException {
        Files.createDirectories(root.resolve(BUCKET));
        S3Proxy server = S3Proxy.builder()
                .blobStore(new FilesystemNio2BlobStore(root.toAbsolutePath().toString()))
                .endpoint(URI.create("http://" + address.getAddress().getHostAddress() + ":" + address.getPort()))
                .awsAuthentication(AuthenticationType.AWS_V4, accessKey, secretKey)
                .jettyMaxThreads(THREADS)
                .build();
        try {
            server.start();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while the S3 server started", e);
        } catch (Exception e) {
            throw new IOException("the embedded S3 server does not start: " + e.getMessage(), e);
        }
        return new ModelStore(server, root, accessKey, secretKey);
    }

    InetSocketAddress address() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getPort());
    }

    String accessKey() {
        return accessKey;
    }

    String secretKey() {
        return secretKey;
    }

    /** Directory whose files are the objects with the prefix {@code name/}. */
    Path directory(String name) {
        return root.resolve(BUCKET).resolve(name);
    }

    /** Gives files that were put straight into {@link #directory}, and have none, the ETags that multipart uploads have. */
    static void tag(Path directory) throws IOException {
        SecureRandom random = new SecureRandom();
        List<Path> files;
        try (Stream<Path> list = Files.walk(directory)) {
            files = list.filter(Files::isRegularFile).toList();
        }
        for (Path file : files) {
            UserDefinedFileAttributeView attributes =
                    Files.getFileAttributeView(file, UserDefinedFileAttributeView.class);
            if (attributes.list().contains(ETAG)) {
                continue;
            }
            String etag = '"' + hex(random, 16) + '-' + Math.ceilDiv(Math.max(1, Files.size(file)), PART) + '"';
            attributes.write(ETAG, ByteBuffer.wrap(etag.getBytes(StandardCharsets.US_ASCII)));
        }
    }

    private static String hex(SecureRandom random, int bytes) {
        byte[] value = new byte[bytes];
        random.nextBytes(value);
        return HexFormat.of().formatHex(value);
    }

    @Override
    public void close() throws IOException {
        try {
            server.stop();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while the S3 server ended", e);
        } catch (Exception e) {
            throw new IOException("the embedded S3 server does not end: " + e.getMessage(), e);
        }
    }
}
