package io.penstock.cache.source;

import static java.util.Objects.requireNonNull;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.SourceEnvironment;
import io.penstock.cache.source.net.NetLoops;
import io.penstock.cache.source.net.NetOptions;
import io.penstock.cache.source.net.Proxies;
import java.nio.file.Path;
import java.util.Map;

/**
 * What a source is made from.
 *
 * @param location as the user wrote it
 * @param options of the source itself, kebab-case
 * @param environment of whoever asks for the source; holds secrets. What it lacks is taken from this process's own; for credentials
 *     see {@link SourceEnvironment#ALONE}.
 */
public record SourceRequest(
        String location, Map<String, String> options, Map<String, String> environment, NetOptions net, NetLoops loops) {
    public SourceRequest {
        requireNonNull(location);
        requireNonNull(net);
        requireNonNull(loops);
        options = Map.copyOf(options);
        environment = Map.copyOf(environment);
    }

    /** The option, or null. */
    public String option(String name) {
        return options.get(name);
    }

    /** Whether the option is {@code true}; absent is false. */
    public boolean flag(String name) throws SourceException {
        String value = options.getOrDefault(name, "false");
        if (!value.equals("true") && !value.equals("false")) {
            throw new SourceException(
                    ErrorCode.BAD_VALUE,
                    "option " + name + " of " + Sources.plain(location) + " is neither true nor false",
                    "write " + name + "=true",
                    false,
                    null);
        }
        return value.equals("true");
    }

    /** A variable of the caller's environment or else of this process's, or null. Empty counts as absent. */
    public String variable(String name) {
        String value = environment.get(name);
        if (value == null) {
            value = System.getenv(name);
        }
        return value == null || value.isEmpty() ? null : value;
    }

    /** The network options with what the options and variables say about trusted certificates. */
    public NetOptions netWithCa(String... variables) {
        String file = option("ca-file");
        for (int i = 0; file == null && i < variables.length; i++) {
            file = variable(variables[i]);
        }
        return file == null ? net : net.withCaFile(Path.of(file));
    }

    public Proxies proxies() throws SourceException {
        Map<String, String> found = new java.util.HashMap<>();
        for (String name : new String[] {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}) {
            String upper = name.toUpperCase(java.util.Locale.ROOT);
            String value = variable(name) == null ? variable(upper) : variable(name);
            if (value != null) {
                found.put(name, value);
            }
        }
        try {
            return Proxies.of(found);
        } catch (IllegalArgumentException e) {
            throw new SourceException(
                    ErrorCode.BAD_VALUE,
                    "a proxy in the environment cannot be used: " + e.getMessage(),
                    "check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY",
                    false,
                    null);
        }
    }

    /** Without the environment, which holds secrets. */
    @Override
    public String toString() {
        return "SourceRequest[" + Sources.plain(location) + "]";
    }
}
