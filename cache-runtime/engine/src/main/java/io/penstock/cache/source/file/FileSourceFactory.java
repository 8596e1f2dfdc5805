package io.penstock.cache.source.file;

import io.penstock.cache.source.Percent;
import io.penstock.cache.source.Source;
import io.penstock.cache.source.SourceException;
import io.penstock.cache.source.SourceFactory;
import io.penstock.cache.source.SourceRequest;
import io.penstock.cache.source.Sources;
import java.nio.file.Path;
import java.util.Set;

/** {@code file:///dir} (percent-encoded) or a plain absolute path (as it is); no options. */
public final class FileSourceFactory implements SourceFactory {
    @Override
    public Set<String> schemes() {
        return Set.of("file");
    }

    @Override
    public Set<String> options() {
        return Set.of();
    }

    @Override
    public Source open(SourceRequest request) throws SourceException {
        String location = request.location();
        if (location.startsWith("/")) {
            return new FileSource(Path.of(location));
        }
        String rest = location.substring("file://".length());
        if (rest.startsWith("localhost/")) {
            rest = rest.substring("localhost".length());
        }
        if (!rest.startsWith("/")) {
            throw Sources.badLocation(location, "it names another machine; write file:///path");
        }
        return new FileSource(Path.of(Percent.decode(rest, false)));
    }
}
