package io.penstock.cache.command;

import io.penstock.cache.config.Config;
import io.penstock.cache.config.ConfigLoader;
import io.penstock.cache.config.Directories;
import io.penstock.cache.config.Durations;
import io.penstock.cache.model.PenstockException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/**
 * The options that every command has; a picocli mixin: {@code @Mixin GlobalOptions global}. Output and configuration are
 * asked for through it.
 */
public final class GlobalOptions {
    @Option(
            names = {"-o", "--output"},
            paramLabel = "FORM",
            converter = FormatConverter.class,
            defaultValue = "table",
            description = "Form of the result: table, wide, json, yaml or name.")
    private Format format = Format.TABLE;

    @Option(
            names = {"-q", "--quiet"},
            description = "Nothing but the result and errors.")
    private boolean quiet;

    @Option(
            names = {"-v", "--verbose"},
            description = "More about what is done, and stack traces of errors.")
    private boolean verbose;

    @Option(names = "--color", paramLabel = "auto|never", defaultValue = "auto", description = "Colours on a terminal.")
    private String color = "auto";

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "Configuration file, in place of /etc/penstock and ~/.config/penstock.")
    private Path configFile;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "Sets any key of the configuration.")
    private List<String> assignments = new ArrayList<>();

    @Option(names = "--state-dir", paramLabel = "DIR", description = "Where the daemon's socket is (state.dir).")
    private String stateDir;

    @Option(names = "--cache-dir", paramLabel = "DIR", description = "Where chunks are kept (cache.dir).")
    private String cacheDir;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            converter = DurationConverter.class,
            description = "Gives up, with exit status 3, after this long: 30s, 5m.")
    private Duration timeout;

    private Streams streams = Streams.ofProcess();

    /** Puts a test's streams in place of the process's. */
    public void streams(Streams streams) {
        this.streams = streams;
    }

    public Output output() {
        boolean painted = color.equals("auto") && streams.outTerminal() && System.getenv("NO_COLOR") == null;
        return new Output(streams, format, quiet, verbose, painted);
    }

    /** What {@code --timeout} says, else {@code fallback}. */
    public Duration timeout(Duration fallback) {
        return timeout == null ? fallback : timeout;
    }

    /** The whole configuration, read anew at each call. */
    public Config config() throws PenstockException {
        return config(Map.of());
    }

    /**
     * The configuration with more flags.
     *
     * @param flags key name to value, of options that the command has itself; null values were not given
     */
    public Config config(Map<String, String> flags) throws PenstockException {
        ConfigLoader loader = ConfigLoader.forAllKeys();
        if (configFile == null) {
            loader.standardFiles();
        } else {
            loader.file(configFile);
        }
        loader.environment(System.getenv());
        for (String assignment : assignments) {
            loader.set(assignment);
        }
        flag(loader, Directories.STATE.name(), stateDir, "--state-dir");
        flag(loader, Directories.CACHE.name(), cacheDir, "--cache-dir");
        for (Map.Entry<String, String> flag : flags.entrySet()) {
            flag(loader, flag.getKey(), flag.getValue(), "--" + flag.getKey().replace('.', '-'));
        }
        return loader.load();
    }

    private static void flag(ConfigLoader loader, String key, String text, String option) {
        if (text != null) {
            loader.flag(key, text, option);
        }
    }

    /** {@code json} for {@link Format#JSON}. */
    static final class FormatConverter implements CommandLine.ITypeConverter<Format> {
        @Override
        public Format convert(String word) {
            try {
                return Format.valueOf(word.toUpperCase(Locale.ROOT));
            } catch (IllegalArgumentException e) {
                throw new CommandLine.TypeConversionException("expected table, wide, json, yaml or name");
            }
        }
    }

    /** {@code 30s}, as in the configuration. */
    public static final class DurationConverter implements CommandLine.ITypeConverter<Duration> {
        @Override
        public Duration convert(String text) {
            try {
                return Durations.parse(text);
            } catch (IllegalArgumentException e) {
                throw new CommandLine.TypeConversionException(e.getMessage());
            }
        }
    }
}
