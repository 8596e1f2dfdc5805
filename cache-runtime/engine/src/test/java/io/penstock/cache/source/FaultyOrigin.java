package io.penstock.cache.source;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.zip.CRC32C;
import javax.net.ServerSocketFactory;

/**
 * A server on the loopback interface that keeps objects in memory, and fails as it is told. It answers GET and HEAD
 * with ranges and conditions, {@code ?list-type=2} as S3 does (signatures are not looked at), and addresses that end
 * with a slash with an index in HTML. One thread for each connection.
 */
public final class FaultyOrigin implements AutoCloseable {
    private static final int PAGE = 1000;

    private final ServerSocket server;
    private final boolean tls;
    private final Map<String, byte[]> objects = new ConcurrentSkipListMap<>();
    private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final AtomicReference<Fault> fault = new AtomicReference<>();
    private final AtomicInteger faultsLeft = new AtomicInteger();
    private final AtomicInteger accepted = new AtomicInteger();
    private final AtomicInteger reads = new AtomicInteger();
    private final AtomicLong bodyBytes = new AtomicLong();
    private volatile Function<Request, String> script = r -> null;
    private volatile Request lastRead;

    /** A request as it came; header names in lower case. */
    public record Request(String method, String target, Map<String, String> headers) {
        public String path() {
            int query = target.indexOf('?');
            return Percent.decode(query < 0 ? target : target.substring(0, query), false);
        }

        String parameter(String name) {
            int query = target.indexOf('?');
            for (String part :
                    query < 0 ? new String[0] : target.substring(query + 1).split("&", -1)) {
                if (part.startsWith(name + "=")) {
                    return Percent.decode(part.substring(name.length() + 1), true);
                }
            }
            return null;
        }
    }

    private FaultyOrigin(ServerSocketFactory factory, boolean tls) throws IOException {
        this.tls = tls;
        this.server = factory.createServerSocket(0, 256, InetAddress.getLoopbackAddress());
        Thread.ofPlatform().daemon().name("faulty-origin").start(this::accept);
    }

    public static FaultyOrigin start() throws IOException {
        return new FaultyOrigin(ServerSocketFactory.getDefault(), false);
    }

    public static FaultyOrigin start(javax.net.ssl.SSLContext tls) throws IOException {
        return new FaultyOrigin(tls.getServerSocketFactory(), true);
    }

    /** {@code http://127.0.0.1:port}; for TLS {@code https://localhost:port}. */
    public String endpoint() {
        return (tls ? "https://localhost:" : "http://127.0.0.1:") + port();
    }

    public int port() {
        return server.getLocalPort();
    }

    public void put(String key, byte[] content) {
        objects.put(key, content);
    }

    public void remove(String key) {
        objects.remove(key);
    }

    public boolean has(String key) {
        return objects.containsKey(key);
    }

    /** Lets the next {@code times} reads of objects (GET with a range) fail; those after them go well. */
    public void fail(Fault how, int times) {
        fault.set(how);
        faultsLeft.set(times);
    }

    /** Every request is shown to {@code answer} first; what it returns, if not null, is sent as the whole answer. */
    public void script(Function<Request, String> answer) {
        script = answer;
    }

    /** Connections accepted so far. */
    public int accepted() {
        return accepted.get();
    }

    /** Reads of objects asked for so far, failed ones too. */
    public int reads() {
        return reads.get();
    }

    /** Bytes of objects sent so far. */
    public long bodyBytes() {
        return bodyBytes.get();
    }

    public Request lastRead() {
        return lastRead;
    }

    /** Ends every connection as a server does that restarts, without saying so on it. */
    public void dropConnections() throws IOException {
        for (Socket connection : connections) {
            connection.close();
        }
    }

    public static String etag(byte[] content) {
        CRC32C crc = new CRC32C();
        crc.update(content);
        return HexFormat.of().toHexDigits(crc.getValue()) + "-" + content.length;
    }

    private void accept() {
        while (closing.getCount() > 0) {
            try {
                Socket connection = server.accept();
                accepted.incrementAndGet();
                connections.add(connection);
                Thread.ofPlatform().daemon().name("faulty-origin-connection").start(() -> serve(connection));
            } catch (IOException e) {
                if (closing.getCount() > 0) {
                    throw new IllegalStateException(e);
                }
            }
        }
    }

    private void serve(Socket connection) {
        try (connection) {
            connection.setTcpNoDelay(true);
            InputStream in = new BufferedInputStream(connection.getInputStream());
            OutputStream out = connection.getOutputStream();
            boolean more = true;
            while (more) {
                Request request = read(in);
                more = request != null && answer(request, connection, out);
            }
        } catch (IOException e) {
            // The client went away, or we told the connection to break: both are what tests do.
            connections.remove(connection);
        } finally {
            connections.remove(connection);
        }
    }

    private static Request read(InputStream in) throws IOException {
        String line = line(in);
        if (line.isEmpty()) {
            return null;
        }
        String[] first = line.split(" ", -1);
        if (first.length != 3) {
            throw new IOException("not HTTP");
        }
        Map<String, String> headers = new TreeMap<>();
        for (String header = line(in); !header.isEmpty(); header = line(in)) {
            int colon = header.indexOf(':');
            if (colon < 0) {
                throw new IOException("not HTTP");
            }
            headers.put(
                    header.substring(0, colon).toLowerCase(java.util.Locale.ROOT),
                    header.substring(colon + 1).strip());
        }
        return new Request(first[0], first[1], headers);
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
            if (c != '\r') {
                line.append((char) c);
            }
        }
        return line.toString();
    }

    /** Whether the connection goes on. */
    private boolean answer(Request request, Socket connection, OutputStream out) throws IOException {
        String scripted = script.apply(request);
        if (scripted != null) {
            out.write(scripted.getBytes(ISO_8859_1));
            return scripted.startsWith("HTTP/1.1") && !scripted.contains("Connection: close");
        }
        if (request.parameter("list-type") != null) {
            send(
                    out,
                    "200 OK",
                    "Content-Type: application/xml\r\n",
                    listing(request).getBytes(UTF_8));
            return true;
        }
        String key = request.path().substring(1);
        byte[] content = objects.get(key);
        if (content == null && (key.isEmpty() || key.endsWith("/"))) {
            return index(key, out);
        }
        if (content == null) {
            send(out, "404 Not Found", "", error("NoSuchKey").getBytes(UTF_8));
            return true;
        }
        if (request.method().equals("HEAD")) {
            head(out, "200 OK", "ETag: \"" + etag(content) + "\"\r\n", content.length);
            return true;
        }
        String condition = request.headers().get("if-match");
        if (condition != null && !condition.equals('"' + etag(content) + '"')) {
            send(out, "412 Precondition Failed", "", error("PreconditionFailed").getBytes(UTF_8));
            return true;
        }
        return object(request, content, connection, out);
    }

    private boolean object(Request request, byte[] content, Socket connection, OutputStream out) throws IOException {
        String range = request.headers().getOrDefault("range", "");
        if (!range.startsWith("bytes=")) {
            head(out, "200 OK", "ETag: \"" + etag(content) + "\"\r\n", content.length);
            out.write(content);
            return true;
        }
        lastRead = request;
        reads.incrementAndGet();
        int dash = range.indexOf('-');
        long from = Long.parseLong(range.substring(6, dash));
        long to = Math.min(content.length - 1L, Long.parseLong(range.substring(dash + 1)));
        if (from > to) {
            send(out, "416 Range Not Satisfiable", "Content-Range: bytes */" + content.length + "\r\n", new byte[0]);
            return true;
        }
        Fault now = faultsLeft.getAndUpdate(n -> Math.max(0, n - 1)) > 0 ? fault.get() : null;
        return new Answer(this, request, content, (int) from, (int) (to - from + 1)).send(now, connection, out);
    }

    private boolean index(String directory, OutputStream out) throws IOException {
        Set<String> children = new TreeSet<>();
        for (String key : objects.keySet()) {
            if (key.startsWith(directory)) {
                String rest = key.substring(directory.length());
                int slash = rest.indexOf('/');
                children.add(slash < 0 ? rest : rest.substring(0, slash + 1));
            }
        }
        if (children.isEmpty() && !directory.isEmpty()) {
            send(out, "404 Not Found", "", new byte[0]);
            return true;
        }
        StringBuilder page = new StringBuilder("<html><body><h1>Index</h1><a href=\"../\">../</a>\n");
        for (String child : children) {
            page.append("<a href=\"").append(Percent.path(child)).append("\">x</a>\n");
        }
        send(
                out,
                "200 OK",
                "Content-Type: text/html\r\n",
                page.append("</body></html>").toString().getBytes(UTF_8));
        return true;
    }

    private String listing(Request request) {
        // Path style: the first segment is the bucket.
        String bucket = request.path().substring(1).replaceAll("/.*", "") + "/";
        String prefix = request.parameter("prefix");
        String after = request.parameter("continuation-token");
        StringBuilder xml = new StringBuilder("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
                .append("<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">")
                .append("<EncodingType>url</EncodingType>");
        int count = 0;
        String last = null;
        boolean truncated = false;
        for (Map.Entry<String, byte[]> object : objects.entrySet()) {
            String key = object.getKey();
            if (!key.startsWith(bucket + prefix) || (after != null && key.compareTo(after) <= 0)) {
                continue;
            }
            if (count == PAGE) {
                truncated = true;
                break;
            }
            count++;
            last = key;
            xml.append("<Contents><Key>")
                    .append(Percent.path(key.substring(bucket.length())))
                    .append("</Key><Size>")
                    .append(object.getValue().length)
                    .append("</Size><ETag>&quot;")
                    .append(etag(object.getValue()))
                    .append("&quot;</ETag></Contents>");
        }
        xml.append("<IsTruncated>").append(truncated).append("</IsTruncated>");
        if (truncated) {
            xml.append("<NextContinuationToken>").append(last).append("</NextContinuationToken>");
        }
        return xml.append("</ListBucketResult>").toString();
    }

    static String error(String code) {
        return "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>told to</Message></Error>";
    }

    static void send(OutputStream out, String status, String headers, byte[] body) throws IOException {
        head(out, status, headers, body.length);
        out.write(body);
    }

    static void head(OutputStream out, String status, String headers, long length) throws IOException {
        out.write(("HTTP/1.1 " + status + "\r\n" + headers + "Content-Length: " + length + "\r\n\r\n")
                .getBytes(ISO_8859_1));
    }

    void sent(int bytes) {
        bodyBytes.addAndGet(bytes);
    }

    /** Waits; false when the server is being closed. */
    boolean pause(long millis) throws IOException {
        try {
            return !closing.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        closing.countDown();
        server.close();
        dropConnections();
    }
}
