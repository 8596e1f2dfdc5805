package io.penstock.cache.source.s3;

import io.penstock.cache.source.TestTls;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.blobstore.BlobStore;
import org.gaul.s3proxy.nio2blob.FilesystemNio2BlobStore;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;

/** S3Proxy over a directory; it verifies signatures. */
final class EmbeddedS3 implements AutoCloseable {
    static final String BUCKET = "bucket";
    static final Map<String, String> KEYS =
            Map.of("AWS_ACCESS_KEY_ID", "AKIDPLANTED", "AWS_SECRET_ACCESS_KEY", "planted/secret+key");

    private final BlobStore store;
    private final S3Proxy proxy;
    private final boolean tls;

    EmbeddedS3(Path root, boolean tls) throws Exception {
        this.tls = tls;
        store = new FilesystemNio2BlobStore(Files.createDirectories(root).toString());
        store.createContainer(BUCKET);
        S3Proxy.Builder builder = S3Proxy.builder()
                .blobStore(store)
                .endpoint(URI.create("http://127.0.0.1:0"))
                .awsAuthentication(
                        AuthenticationType.AWS_V4, KEYS.get("AWS_ACCESS_KEY_ID"), KEYS.get("AWS_SECRET_ACCESS_KEY"));
        if (tls) {
            builder.secureEndpoint(URI.create("https://localhost:0"))
                    .keyStore(TestTls.keyStore("password").toString(), "password");
        }
        proxy = builder.build();
        proxy.start();
    }

    String endpoint() {
        return tls ? "https://localhost:" + proxy.getSecurePort() : "http://127.0.0.1:" + proxy.getPort();
    }

    void put(String key, byte[] content) {
        store.putBlob(
                PutObjectRequest.builder()
                        .bucket(BUCKET)
                        .key(key)
                        .contentLength((long) content.length)
                        .build(),
                new ByteArrayInputStream(content));
    }

    void remove(String key) {
        store.removeBlob(BUCKET, key);
    }

    @Override
    public void close() throws IOException {
        try {
            proxy.stop();
        } catch (Exception e) {
            throw new IOException(e);
        }
        store.close();
    }
}
