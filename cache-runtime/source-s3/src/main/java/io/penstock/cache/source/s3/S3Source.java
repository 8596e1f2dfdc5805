package io.penstock.cache.source.s3;

import io.penstock.cache.model.ByteRange;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.model.Paths;
import io.penstock.cache.source.Etags;
import io.penstock.cache.source.Percent;
import io.penstock.cache.source.Source;
import io.penstock.cache.source.SourceException;
import io.penstock.cache.source.Sources;
import io.penstock.cache.source.Transfer;
import io.penstock.cache.source.TransferListener;
import io.penstock.cache.source.http.RangeProtocol;
import io.penstock.cache.source.http.RangeRead;
import io.penstock.cache.source.net.HttpRequest;
import io.penstock.cache.source.net.NetClient;
import io.penstock.cache.source.net.NetException;
import io.penstock.cache.source.net.ResponseHead;
import io.penstock.cache.source.s3.XmlScanner.MalformedXml;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What lies under a prefix of a bucket, or the one object that is named exactly so. The prefix ends at a slash: {@code
 * s3://b/model} is not {@code s3://b/model-2}. The version of an object is its ETag.
 */
public final class S3Source implements Source {
    private static final Logger LOG = LoggerFactory.getLogger(S3Source.class);
    private static final int MAX_PAGE = 32 << 20;
    private static final String SCHEME = "s3://";
    private static final List<String> KEYS = List.of("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN");

    private final String bucketName;
    private final String prefix;
    private volatile S3Options options;
    private final ProfileFiles profiles;
    private final NetClient client;
    private final SigV4 signer = new SigV4();
    private final RangeProtocol protocol = new Protocol();

    private volatile Bucket bucket;
    private volatile CredentialSource credentials;

    /**
     * Asks nothing of anyone yet.
     *
     * @param client owned by the source from here on
     * @throws SourceException with {@code BAD_LOCATION}
     */
    public S3Source(String location, S3Options options, NetClient client) throws SourceException {
        if (!location.startsWith(SCHEME)) {
            throw Sources.badLocation(location, "it does not start with s3://");
        }
        String rest = location.substring(SCHEME.length());
        int slash = rest.indexOf('/');
        this.bucketName = slash < 0 ? rest : rest.substring(0, slash);
        this.prefix = slash < 0 ? "" : rest.substring(slash + 1);
        if (!bucketName.matches("[A-Za-z0-9][A-Za-z0-9._-]{1,254}")) {
            throw Sources.badLocation(location, "a bucket's name has letters, digits, dots and dashes");
        }
        if (bucketName.endsWith("--x-s3")) {
            throw Sources.badLocation(location, "directory buckets (S3 Express One Zone) are not supported");
        }
        this.options = options;
        this.profiles = new ProfileFiles(options);
        this.client = client;
    }

    @Override
    public String location() {
        return SCHEME + bucketName + (prefix.isEmpty() ? "" : "/" + prefix);
    }

    @Override
    public void list(Consumer<List<Entry>> pages) throws SourceException {
        String directory = prefix.isEmpty() || prefix.endsWith("/") ? prefix : prefix + "/";
        boolean any = list(directory, false, pages);
        if (!any && !prefix.equals(directory)) {
            any = list(prefix, true, pages);
        }
        if (!any) {
            throw new SourceException(
                    ErrorCode.ORIGIN_EMPTY,
                    "nothing lies under " + location(),
                    "check the prefix: it is taken up to a slash",
                    false,
                    null);
        }
    }

    /** @param only the object named by {@code start} itself, which comes first in its listing */
    private boolean list(String start, boolean only, Consumer<List<Entry>> pages) throws SourceException {
        boolean any = false;
        boolean warned = false;
        String token = null;
        do {
            ListPage page = page(start, token, only);
            List<Entry> entries = new ArrayList<>(page.items().size());
            for (ListPage.Item item : page.items()) {
                if (!item.key().startsWith(start) || (only && !item.key().equals(start))) {
                    continue;
                }
                String path = item.key().substring(only ? start.lastIndexOf('/') + 1 : start.length());
                if (Paths.isValid(path)) {
                    entries.add(new Entry(path, new ObjectId(bucket.origin(), item.key(), item.etag(), item.size())));
                } else if (!warned && !item.key().endsWith("/")) {
                    warned = true;
                    LOG.warn(
                            "{}: a key cannot be a file in a mount and is left out, as are others like it", location());
                }
            }
            if (!entries.isEmpty()) {
                any = true;
                pages.accept(entries);
            }
            token = only ? null : page.next();
        } while (token != null);
        return any;
    }

    private ListPage page(String start, String token, boolean only) throws SourceException {
        StringBuilder query = new StringBuilder(256);
        if (token != null) {
            query.append("continuation-token=").append(Percent.value(token)).append('&');
        }
        query.append("encoding-type=url&list-type=2");
        if (only) {
            query.append("&max-keys=1");
        }
        query.append("&prefix=").append(Percent.value(start));
        String what = "list " + location();
        NetClient.Response answer = ask(what, query.toString());
        try {
            return ListPage.parse(new String(answer.body(), StandardCharsets.UTF_8));
        } catch (MalformedXml e) {
            throw new SourceException(
                    ErrorCode.ORIGIN_PROTOCOL,
                    "cannot " + what + ": the answer is no listing: " + e.getMessage(),
                    "check that the endpoint is that of an S3 server",
                    false,
                    e);
        }
    }

    private NetClient.Response ask(String what, String query) throws SourceException {
        try {
            for (int hops = 0; ; hops++) {
                Bucket at = bucket();
                HttpRequest request = signed(at, at.base().isEmpty() ? "/" : at.base(), query);
                NetClient.Response answer = client.fetch(request, MAX_PAGE);
                if (answer.head().status() == 200) {
                    return answer;
                }
                reconsider(what, answer.head(), answer.body(), hops);
            }
        } catch (NetException e) {
            throw e.during(what);
        }
    }

    private Bucket bucket() throws SourceException {
        Bucket known = bucket;
        if (known == null) {
            synchronized (this) {
                known = bucket;
                if (known == null) {
                    known = Bucket.find(bucketName, options, profiles);
                    credentials = CredentialSource.of(options, profiles);
                    bucket = known;
                }
            }
        }
        return known;
    }

    private HttpRequest signed(Bucket at, String path, String query) throws SourceException {
        HttpRequest request = HttpRequest.get(at.authority(), query.isEmpty() ? path : path + "?" + query)
                .header("User-Agent", "penstock");
        Map<String, String> more = options.requesterPays() ? Map.of("x-amz-request-payer", "requester") : Map.of();
        Credentials now = credentials.get();
        if (now != null) {
            signer.sign(request, path, query, more, now, at.region(), Instant.now());
        }
        return request;
    }

    /** Returns when another request may fare better: with fresh credentials, or in the region the origin named. */
    private void reconsider(String what, ResponseHead head, byte[] body, int hops) throws SourceException {
        S3Error error = S3Error.of(head, body);
        Bucket at = bucket;
        boolean elsewhere = !at.custom()
                && head.status() < 500
                && !error.region().isEmpty()
                && !error.region().equals(at.region());
        if (hops == 0 && elsewhere) {
            LOG.info("{} is in region {}, not {}; naming it saves a request", location(), error.region(), at.region());
            bucket = at.in(error.region());
            return;
        }
        if (hops == 0 && S3Refusals.isExpired(error.code())) {
            credentials.invalidate();
            return;
        }
        throw S3Refusals.of(what, head, error, options.anonymous());
    }

    @Override
    public Transfer read(ObjectId object, ByteRange range, MemorySegment target, TransferListener listener) {
        return RangeRead.start(client, protocol, object, range, target, listener);
    }

    /** Keys only: what the SDK reads from files it reads again by itself. */
    @Override
    public void refresh(Map<String, String> environment) {
        S3Options newest = options.withEnvironment(environment);
        synchronized (this) {
            if (KEYS.stream().allMatch(k -> Objects.equals(newest.variable(k), options.variable(k)))) {
                return;
            }
            options = newest;
            CredentialSource before = credentials;
            if (before != null) {
                credentials = CredentialSource.of(newest, profiles);
                before.close();
            }
        }
    }

    @Override
    public void close() {
        client.close();
        CredentialSource known = credentials;
        if (known != null) {
            known.close();
        }
    }

    private final class Protocol implements RangeProtocol {
        @Override
        public boolean isInstant() {
            return bucket != null && credentials.isInstant();
        }

        @Override
        public HttpRequest request(ObjectId object) throws SourceException {
            Bucket at = bucket();
            return signed(at, at.base() + "/" + Percent.path(object.key()), "")
                    .header("If-Match", Etags.condition(object.version()));
        }

        @Override
        public HttpRequest next(ObjectId object, HttpRequest asked, ResponseHead head, byte[] body, int hops)
                throws SourceException {
            reconsider("read " + object, head, body, hops);
            return request(object);
        }

        @Override
        public String version(ResponseHead head) {
            String tag = head.header("etag");
            return tag == null ? null : Etags.version(tag);
        }
    }
}
