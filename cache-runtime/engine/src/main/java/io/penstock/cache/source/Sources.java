package io.penstock.cache.source;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.Locations;
import io.penstock.cache.source.file.FileSourceFactory;
import io.penstock.cache.source.http.HttpSourceFactory;
import io.penstock.cache.source.net.NetLoops;
import io.penstock.cache.source.net.NetOptions;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeSet;

/** Opens sources by location: {@code s3://bucket/prefix}, {@code https://host/dir/}, {@code file:///dir}, {@code /dir}. */
public final class Sources implements AutoCloseable {
    private static final List<SourceFactory> BUILT_IN = List.of(new FileSourceFactory(), new HttpSourceFactory());

    private final NetOptions net;
    private final NetLoops loops;

    /**
     * Starts no thread yet.
     *
     * @param threads that read sockets, for all sources together
     */
    public Sources(NetOptions net, int threads) {
        this.net = net;
        this.loops = new NetLoops(threads);
    }

    /**
     * Opens a source; asks nothing of the origin yet.
     *
     * @param options of the source, see its factory
     * @param environment of whoever asks; what it lacks is taken from this process's own
     * @throws SourceException with {@code BAD_LOCATION}, {@code UNKNOWN_KEY} or {@code BAD_VALUE}
     */
    public Source open(String location, Map<String, String> options, Map<String, String> environment)
            throws SourceException {
        SourceFactory factory = factory(scheme(location), location);
        for (String key : options.keySet()) {
            if (!factory.options().contains(key)) {
                throw new SourceException(
                        ErrorCode.UNKNOWN_KEY,
                        "a source of " + plain(location) + " has no option " + key,
                        "it has: " + String.join(", ", new TreeSet<>(factory.options())),
                        false,
                        null);
            }
        }
        return factory.open(new SourceRequest(location, options, environment, net, loops));
    }

    /** Ends the threads; the sources must be closed before. */
    @Override
    public void close() {
        loops.close();
    }

    private static SourceFactory factory(String scheme, String location) throws SourceException {
        for (SourceFactory factory : BUILT_IN) {
            if (factory.schemes().contains(scheme)) {
                return factory;
            }
        }
        for (SourceFactory factory : ServiceLoader.load(SourceFactory.class)) {
            if (factory.schemes().contains(scheme)) {
                return factory;
            }
        }
        throw badLocation(location, "it starts with no scheme known here");
    }

    private static String scheme(String location) throws SourceException {
        if (location.startsWith("/")) {
            return "file";
        }
        int end = location.indexOf("://");
        if (end <= 0) {
            throw badLocation(location, "it is neither an absolute path nor scheme://...");
        }
        return location.substring(0, end).toLowerCase(Locale.ROOT);
    }

    /** An error of {@code BAD_LOCATION}. */
    public static SourceException badLocation(String location, String why) {
        return new SourceException(
                ErrorCode.BAD_LOCATION,
                "'" + plain(location) + "' is no location of a source: " + why,
                "write s3://bucket/prefix, https://host/path, or the absolute path of a directory",
                false,
                null);
    }

    /** A location without what may be secret in it: user, password and query. */
    public static String plain(String location) {
        return Locations.plain(location);
    }
}
