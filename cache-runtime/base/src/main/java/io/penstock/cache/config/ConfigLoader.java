package io.penstock.cache.config;

import io.penstock.cache.config.Config.Written;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.regex.Pattern;

/**
 * Gathers what was written in files, the environment and flags, and makes a {@link Config} of it. Not thread-safe.
 *
 * <p>An unknown key is an error wherever it is written. In the environment two kinds of names are left alone: those that
 * the launcher and the processes use among themselves, and the links that Kubernetes makes for a service called
 * {@code penstock}.
 */
public final class ConfigLoader {
    private static final String PREFIX = "PENSTOCK_";
    private static final Pattern NOT_OURS = Pattern.compile(
            "PENSTOCK_(HOME|BUILD|JAVA|JAVA_HOME|JAVA_OPTS|AOT|READY_FD|STARTED|LAUNCHER|CONFIG|TEST_.*|INTERNAL_.*)"
                    + "|PENSTOCK_(.*_)?(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_\\d+_.*)?)");

    /** What Kubernetes writes into PENSTOCK_..._PORT, where there is a key of that name as well. */
    private static final Pattern LINK = Pattern.compile("(tcp|udp|sctp)://");

    private final Collection<Key<?>> keys;
    private final List<Written> files = new ArrayList<>();
    private final List<Written> variables = new ArrayList<>();
    private final List<Written> flags = new ArrayList<>();

    private ConfigLoader(Collection<Key<?>> keys) {
        this.keys = keys;
    }

    /** For the keys of every {@link KeyCatalogue} on the class path. */
    public static ConfigLoader forAllKeys() {
        List<Key<?>> all = new ArrayList<>();
        ServiceLoader.load(KeyCatalogue.class).forEach(c -> all.addAll(c.keys()));
        return forKeys(all);
    }

    /**
     * For these keys only.
     *
     * @throws IllegalArgumentException when two keys have one name or one variable
     */
    public static ConfigLoader forKeys(Collection<Key<?>> keys) {
        Map<String, Key<?>> byVariable = new HashMap<>();
        for (Key<?> key : keys) {
            Key<?> other = byVariable.put(key.variable(), key);
            if (other != null) {
                throw new IllegalArgumentException("two keys share " + key.variable() + ": " + key + ", " + other);
            }
        }
        return new ConfigLoader(keys);
    }

    /** Reads a file that must exist; YAML, or properties when the name ends so. Later files win. */
    public ConfigLoader file(Path file) throws PenstockException {
        for (Map.Entry<String, String> e : ConfigFile.read(file).entrySet()) {
            files.add(new Written(e.getKey(), e.getValue(), new Origin(Origin.Kind.FILE, file.toString())));
        }
        return this;
    }

    /** Reads {@code /etc/penstock/penstock.yaml}, then {@code ~/.config/penstock/penstock.yaml}, where they exist. */
    public ConfigLoader standardFiles() throws PenstockException {
        String xdg = System.getenv("XDG_CONFIG_HOME");
        Path user = xdg == null || xdg.isEmpty() ? Path.of(System.getProperty("user.home"), ".config") : Path.of(xdg);
        for (Path directory : List.of(Path.of("/etc/penstock"), user.resolve("penstock"))) {
            for (String name : List.of("penstock.yaml", "penstock.properties")) {
                Path file = directory.resolve(name);
                if (Files.exists(file)) {
                    file(file);
                }
            }
        }
        return this;
    }

    public ConfigLoader environment(Map<String, String> environment) {
        Map<String, String> names = new HashMap<>();
        keys.forEach(k -> names.put(k.variable(), k.name()));
        environment.forEach((variable, text) -> {
            boolean key = names.containsKey(variable) && !LINK.matcher(text).lookingAt();
            if (key
                    || (variable.startsWith(PREFIX)
                            && !NOT_OURS.matcher(variable).matches())) {
                String name = names.getOrDefault(variable, spelledAsKey(variable));
                variables.add(new Written(name, text, new Origin(Origin.Kind.ENVIRONMENT, variable)));
            }
        });
        return this;
    }

    /**
     * Takes the value of an option.
     *
     * @param place the option as typed, for example {@code --cache-dir}
     */
    public ConfigLoader flag(String key, String text, String place) {
        flags.add(new Written(key, text, new Origin(Origin.Kind.FLAG, place)));
        return this;
    }

    /**
     * Takes what was given to {@code --set}.
     *
     * @param assignment {@code key=value}
     */
    public ConfigLoader set(String assignment) throws PenstockException {
        int equals = assignment.indexOf('=');
        if (equals <= 0) {
            throw new ConfigException(ErrorCode.USAGE, "--set wants key=value, not '" + assignment + "'", "", null);
        }
        return flag(assignment.substring(0, equals).strip(), assignment.substring(equals + 1), "--set");
    }

    /**
     * Checks everything that was written.
     *
     * @throws ConfigException when a key is unknown or a value cannot be read
     */
    public Config load() throws ConfigException {
        List<Written> all = new ArrayList<>(files);
        all.addAll(variables);
        all.addAll(flags);
        return Config.of(keys, all);
    }

    /** The keys this loader knows, by name. */
    public Map<String, Key<?>> keys() {
        Map<String, Key<?>> byName = new LinkedHashMap<>();
        keys.stream().sorted(java.util.Comparator.comparing(Key::name)).forEach(k -> byName.put(k.name(), k));
        return byName;
    }

    /** A guess, only to find the nearest key: which underscore was a dot is not known. */
    private static String spelledAsKey(String variable) {
        String words = variable.substring(PREFIX.length())
                .toLowerCase(java.util.Locale.ROOT)
                .replace('_', '-');
        return words.replaceFirst("-", ".");
    }
}
