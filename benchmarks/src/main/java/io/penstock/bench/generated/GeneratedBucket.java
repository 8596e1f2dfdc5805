package io.penstock.bench.generated;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * One bucket of generated objects behind the parts of S3 that a reader needs: ListObjectsV2 with pages, HEAD, GET with a
 * range and If-Match. Signatures are not looked at.
 */
public final class GeneratedBucket implements AutoCloseable {
    private static final int PAGE = 1000;
    private static final int BLOCK = 256 << 10;
    private static final String MODIFIED = "2026-01-01T00:00:00.000Z";

    private final HttpServer server;
    private final String name;
    private final NavigableMap<String, GeneratedObject> objects;
    private final ExecutorService threads = Executors.newCachedThreadPool();

    private GeneratedBucket(HttpServer server, String name, Map<String, GeneratedObject> objects) {
        this.server = server;
        this.name = name;
        this.objects = new TreeMap<>(objects);
    }

    /** Serves {@code objects} (by key) as the bucket {@code name}. */
    public static GeneratedBucket start(InetSocketAddress address, String name, Map<String, GeneratedObject> objects)
            throws IOException {
        GeneratedBucket bucket = new GeneratedBucket(HttpServer.create(address, 256), name, objects);
        bucket.server.setExecutor(bucket.threads);
        bucket.server.createContext("/" + name, bucket::answer);
        bucket.server.start();
        return bucket;
    }

    public InetSocketAddress address() {
        return server.getAddress();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            exchange.getRequestBody().readAllBytes();
            String key = exchange.getRequestURI().getPath().substring(name.length() + 1);
            if (key.length() <= 1) {
                list(exchange);
                return;
            }
            GeneratedObject object = objects.get(key.substring(1));
            if (object == null) {
                error(exchange, 404, "NoSuchKey");
            } else {
                get(exchange, key.substring(1), object);
            }
        }
    }

    private static void get(HttpExchange exchange, String key, GeneratedObject object) throws IOException {
        String etag = etag(key, object);
        String match = exchange.getRequestHeaders().getFirst("If-Match");
        Headers headers = exchange.getResponseHeaders();
        headers.set("ETag", etag);
        headers.set("Accept-Ranges", "bytes");
        headers.set("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT");
        if (match != null && !match.equals(etag)) {
            error(exchange, 412, "PreconditionFailed");
            return;
        }
        if (exchange.getRequestMethod().equals("HEAD")) {
            headers.set("Content-Length", Long.toString(object.size()));
            exchange.sendResponseHeaders(200, -1);
            return;
        }
        String range = exchange.getRequestHeaders().getFirst("Range");
        long from = 0;
        long to = object.size();
        if (range != null) {
            String[] ends = range.substring("bytes=".length()).split("-", -1);
            from = Long.parseLong(ends[0]);
            to = ends[1].isEmpty() ? to : Math.min(to, Long.parseLong(ends[1]) + 1);
            if (from >= to) {
                error(exchange, 416, "InvalidRange");
                return;
            }
            headers.set("Content-Range", "bytes " + from + "-" + (to - 1) + "/" + object.size());
        }
        exchange.sendResponseHeaders(range == null ? 200 : 206, to == from ? -1 : to - from);
        byte[] block = new byte[BLOCK];
        try (OutputStream out = exchange.getResponseBody()) {
            for (long at = from; at < to; at += BLOCK) {
                int length = (int) Math.min(BLOCK, to - at);
                object.read(ByteBuffer.wrap(block, 0, length), at);
                out.write(block, 0, length);
            }
        }
    }

    private void list(HttpExchange exchange) throws IOException {
        Map<String, String> query = query(exchange.getRequestURI().getRawQuery());
        String prefix = query.getOrDefault("prefix", "");
        String after = query.getOrDefault("continuation-token", query.getOrDefault("start-after", ""));
        int most = Math.min(PAGE, Integer.parseInt(query.getOrDefault("max-keys", "1000")));
        StringBuilder contents = new StringBuilder();
        int count = 0;
        String last = "";
        boolean more = false;
        String begin = after.compareTo(prefix) > 0 ? after : prefix;
        for (Map.Entry<String, GeneratedObject> entry :
                objects.tailMap(begin, true).entrySet()) {
            String key = entry.getKey();
            if (!key.startsWith(prefix)) {
                break;
            }
            if (key.equals(after)) {
                continue;
            }
            if (count == most) {
                more = true;
                break;
            }
            contents.append("<Contents><Key>")
                    .append(key)
                    .append("</Key><LastModified>")
                    .append(MODIFIED);
            contents.append("</LastModified><ETag>")
                    .append(etag(key, entry.getValue()).replace("\"", "&quot;"));
            contents.append("</ETag><Size>").append(entry.getValue().size());
            contents.append("</Size><StorageClass>STANDARD</StorageClass></Contents>");
            last = key;
            count++;
        }
        String token = more ? "<NextContinuationToken>" + last + "</NextContinuationToken>" : "";
        xml(
                exchange,
                200,
                "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>" + name + "</Name><Prefix>"
                        + prefix + "</Prefix><KeyCount>" + count + "</KeyCount><MaxKeys>" + most
                        + "</MaxKeys><IsTruncated>" + more + "</IsTruncated>" + token + contents
                        + "</ListBucketResult>");
    }

    private static Map<String, String> query(String raw) {
        Map<String, String> query = new HashMap<>();
        for (String pair : raw == null ? new String[0] : raw.split("&", -1)) {
            int equals = pair.indexOf('=');
            String value = equals < 0 ? "" : URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8);
            query.put(equals < 0 ? pair : pair.substring(0, equals), value);
        }
        return query;
    }

    private static String etag(String key, GeneratedObject object) {
        return String.format("\"%08x%024x-1\"", key.hashCode(), object.size());
    }

    private static void error(HttpExchange exchange, int status, String code) throws IOException {
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.sendResponseHeaders(status, -1);
        } else {
            xml(exchange, status, "<Error><Code>" + code + "</Code><Message>" + code + "</Message></Error>");
        }
    }

    private static void xml(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>" + body).getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/xml");
        exchange.sendResponseHeaders(status, bytes.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(bytes);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
