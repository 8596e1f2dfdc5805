package io.penstock.cache.source.http;

import io.penstock.cache.model.ByteRange;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.model.Paths;
import io.penstock.cache.source.Etags;
import io.penstock.cache.source.Percent;
import io.penstock.cache.source.Source;
import io.penstock.cache.source.SourceException;
import io.penstock.cache.source.Transfer;
import io.penstock.cache.source.TransferListener;
import io.penstock.cache.source.net.HttpRequest;
import io.penstock.cache.source.net.NetClient;
import io.penstock.cache.source.net.NetException;
import io.penstock.cache.source.net.ResponseHead;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One file of a web server, or, where the address ends with a slash, all files below it. Such a directory must answer
 * with an index in HTML, as nginx, Apache and Python write it, or with {@code text/plain}: one address relative to the
 * directory a line. Each file is then asked for its size, ETag and modification time.
 *
 * <p>The version is the ETag; without one, the modification time. A server that states neither is refused. Redirects
 * are followed three times at most, never from https to http; credentials go to the first host only.
 */
public final class HttpSource implements Source {
    private static final Logger LOG = LoggerFactory.getLogger(HttpSource.class);
    private static final int MAX_INDEX = 16 << 20;
    private static final int MAX_DIRECTORIES = 10_000;
    private static final int PARALLEL = 16;
    private static final String MODIFIED = "modified:";

    private final HttpLocation location;
    private final NetClient client;
    private final String authorization;
    private final RangeProtocol protocol = new Protocol();

    HttpSource(HttpLocation location, NetClient client, String bearerToken) {
        this.location = location;
        this.client = client;
        this.authorization = bearerToken == null ? location.authorization() : "Bearer " + bearerToken;
    }

    @Override
    public String location() {
        return location.toString();
    }

    @Override
    public void list(Consumer<List<Entry>> pages) throws SourceException {
        String path = Percent.decode(location.path(), false);
        if (!location.isDirectory()) {
            String name = path.substring(path.lastIndexOf('/') + 1);
            if (!Paths.isValid(name)) {
                throw new SourceException(
                        ErrorCode.ORIGIN_EMPTY, location + " has no name that a file can have", "", false, null);
            }
            pages.accept(List.of(new Entry(name, examine(path))));
            return;
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(
                PARALLEL, Thread.ofVirtual().name("penstock-list").factory())) {
            walk(path, threads, pages);
        }
    }

    private void walk(String root, ExecutorService threads, Consumer<List<Entry>> pages) throws SourceException {
        Deque<String> directories = new ArrayDeque<>(List.of(root));
        boolean any = false;
        boolean warned = false;
        int seen = 0;
        while (!directories.isEmpty()) {
            if (++seen > MAX_DIRECTORIES) {
                throw new SourceException(
                        ErrorCode.ORIGIN_PROTOCOL,
                        location + " has more than " + MAX_DIRECTORIES + " directories",
                        "give an address further down",
                        false,
                        null);
            }
            List<String> files = new ArrayList<>();
            for (String child : index(directories.removeFirst())) {
                if (child.endsWith("/")) {
                    directories.addLast(child);
                } else if (Paths.isValid(child.substring(root.length()))) {
                    files.add(child);
                } else if (!warned) {
                    warned = true;
                    LOG.warn("{}: a name cannot be a file in a mount and is left out, as are others like it", location);
                }
            }
            if (!files.isEmpty()) {
                any = true;
                pages.accept(examine(root, files, threads));
            }
        }
        if (!any) {
            throw new SourceException(
                    ErrorCode.ORIGIN_EMPTY, location + " lists no files", "check the address", false, null);
        }
    }

    private List<String> index(String directory) throws SourceException {
        String what = "list " + location.authority() + directory;
        NetClient.Response answer = fetch(what, request(directory, false), MAX_INDEX);
        if (answer.head().status() != 200) {
            throw Refusals.of(what, answer.head(), "");
        }
        String type = answer.head().header("content-type");
        String kind = type == null ? "" : type.toLowerCase(Locale.ROOT);
        if (!kind.startsWith("text/html") && !kind.startsWith("text/plain")) {
            throw new SourceException(
                    ErrorCode.ORIGIN_PROTOCOL,
                    "cannot " + what + ": it answers with no index",
                    "switch the server's directory index on, or give the address of one file",
                    false,
                    null);
        }
        String page = new String(answer.body(), StandardCharsets.UTF_8);
        return IndexPage.children(directory, page, kind.startsWith("text/html"));
    }

    private List<Entry> examine(String root, List<String> files, ExecutorService threads) throws SourceException {
        List<Future<ObjectId>> found = new ArrayList<>(files.size());
        for (String file : files) {
            found.add(threads.submit(() -> examine(file)));
        }
        List<Entry> page = new ArrayList<>(files.size());
        try {
            for (int i = 0; i < files.size(); i++) {
                page.add(new Entry(
                        files.get(i).substring(root.length()), found.get(i).get()));
            }
        } catch (ExecutionException e) {
            threads.shutdownNow();
            if (e.getCause() instanceof SourceException cause) {
                throw cause;
            }
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            threads.shutdownNow();
            Thread.currentThread().interrupt();
            throw new SourceException(
                    ErrorCode.ORIGIN_CANCELLED, "listing " + location + " was interrupted", "", false, e);
        }
        return page;
    }

    private ObjectId examine(String path) throws SourceException {
        String what = "read " + location.authority() + path;
        NetClient.Response answer = fetch(what, request(path, true), 0);
        ResponseHead head = answer.head();
        long size;
        if (head.status() == 200) {
            size = length(what, head);
        } else {
            // Addresses signed for GET, and small servers, refuse HEAD.
            head = fetch(what, request(path, false).header("Range", "bytes=0-0"), 64 << 10)
                    .head();
            size = total(what, head);
        }
        String version = version(head);
        if (version == null || size < 0) {
            throw new SourceException(
                    ErrorCode.ORIGIN_PROTOCOL,
                    "cannot " + what + ": the server states "
                            + (size < 0 ? "no size" : "neither ETag nor Last-Modified"),
                    "use a server that does: without them a change would go unseen",
                    false,
                    null);
        }
        return new ObjectId(location.authority().toString(), path.substring(1), version, size);
    }

    private static long length(String what, ResponseHead head) throws SourceException {
        try {
            return head.contentLength();
        } catch (NetException e) {
            throw e.during(what);
        }
    }

    private static long total(String what, ResponseHead head) throws SourceException {
        String range = head.header("content-range");
        int slash = range == null ? -1 : range.indexOf('/');
        String total = slash < 0 ? "" : range.substring(slash + 1);
        if ((head.status() == 206 || head.status() == 416) && total.matches("\\d{1,18}")) {
            return Long.parseLong(total);
        }
        if (head.status() == 200) {
            return length(what, head);
        }
        throw Refusals.of(what, head, "");
    }

    private NetClient.Response fetch(String what, HttpRequest first, int limit) throws SourceException {
        HttpRequest request = first;
        try {
            for (int hops = 0; ; hops++) {
                NetClient.Response answer = client.fetch(request, limit);
                if (!Redirects.is(answer.head())) {
                    return answer;
                }
                request = redirected(what, request, answer.head(), hops);
            }
        } catch (NetException e) {
            throw e.during(what);
        }
    }

    private HttpRequest redirected(String what, HttpRequest asked, ResponseHead head, int hops) throws SourceException {
        HttpLocation to = Redirects.follow(what, asked, head, hops);
        HttpRequest next = asked.method().equals("HEAD")
                ? HttpRequest.head(to.authority(), to.target())
                : HttpRequest.get(to.authority(), to.target());
        return dress(next);
    }

    private HttpRequest request(String path, boolean head) {
        boolean itself = location.query() != null && path.equals(Percent.decode(location.path(), false));
        String target = itself ? location.target() : Percent.path(path);
        return dress(
                head ? HttpRequest.head(location.authority(), target) : HttpRequest.get(location.authority(), target));
    }

    private HttpRequest dress(HttpRequest request) {
        request.header("Accept", "*/*").header("Accept-Encoding", "identity").header("User-Agent", "penstock");
        if (authorization != null && request.authority().equals(location.authority())) {
            request.header("Authorization", authorization);
        }
        return request;
    }

    private static String version(ResponseHead head) {
        String tag = head.header("etag");
        if (tag != null) {
            return Etags.version(tag);
        }
        String modified = head.header("last-modified");
        return modified == null ? null : MODIFIED + modified;
    }

    @Override
    public Transfer read(ObjectId object, ByteRange range, MemorySegment target, TransferListener listener) {
        return RangeRead.start(client, protocol, object, range, target, listener);
    }

    @Override
    public void close() {
        client.close();
    }

    private final class Protocol implements RangeProtocol {
        @Override
        public boolean isInstant() {
            return true;
        }

        @Override
        public HttpRequest request(ObjectId object) {
            return conditional(object, HttpSource.this.request("/" + object.key(), false));
        }

        private HttpRequest conditional(ObjectId object, HttpRequest request) {
            String version = object.version();
            if (version.startsWith(MODIFIED)) {
                return request.header("If-Unmodified-Since", version.substring(MODIFIED.length()));
            }
            return Etags.isWeak(version) ? request : request.header("If-Match", Etags.condition(version));
        }

        @Override
        public HttpRequest next(ObjectId object, HttpRequest asked, ResponseHead head, byte[] body, int hops)
                throws SourceException {
            String what = "read " + object;
            if (Redirects.is(head)) {
                return conditional(object, redirected(what, asked, head, hops));
            }
            throw Refusals.of(what, head, "");
        }

        @Override
        public String version(ResponseHead head) {
            return HttpSource.version(head);
        }
    }
}
