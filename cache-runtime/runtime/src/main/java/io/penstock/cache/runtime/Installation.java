package io.penstock.cache.runtime;

import io.penstock.cache.config.Config;
import io.penstock.cache.config.Directories;
import io.penstock.cache.config.Origin;
import io.penstock.cache.config.Setting;
import io.penstock.cache.control.StateDirectory;
import io.penstock.cache.control.custody.Holder;
import io.penstock.cache.control.custody.HolderOptions;
import io.penstock.cache.control.custody.Mounter;
import io.penstock.cache.linux.Machine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The processes of one state directory, as the configuration describes them. */
public final class Installation {
    private final Config config;
    private final StateDirectory state;
    private final Path cache;

    public Installation(Config config) {
        this.config = config;
        this.state = new StateDirectory(
                config.get(Directories.STATE).toAbsolutePath().normalize());
        this.cache = config.get(Directories.CACHE).toAbsolutePath().normalize();
    }

    public StateDirectory state() {
        return state;
    }

    /** The cache directory, if somebody asked for a certain one just now; else empty. */
    public String askedCache() {
        return config.origin(Directories.CACHE).kind() == Origin.Kind.FLAG ? cache.toString() : "";
    }

    /** What a mount fetches unasked. */
    public String prefetch() {
        return config.get(RuntimeKeys.PREFETCH);
    }

    /**
     * Becomes the holder; its daemon is being started when this returns.
     *
     * @param linger how long it stays with nothing to do; null: for ever
     * @return null when another process is the holder
     */
    public Holder claim(Duration linger) throws IOException {
        Account account = Machine.uid() == 0 ? Account.of(config.find(RuntimeKeys.USER)) : null;
        Places.makeState(state, account);
        Places.makeCache(cache, account);
        int readAhead = (int) (config.get(RuntimeKeys.READ_AHEAD).bytes() >> 10);
        HolderOptions options = new HolderOptions(state, settings(), cache.toString(), linger, readAhead, false);
        ChildDaemon launcher = new ChildDaemon(
                state,
                account,
                config.get(RuntimeKeys.HEAP).bytes(),
                config.get(RuntimeKeys.MEMORY).bytes(),
                Stream.of(config.get(RuntimeKeys.JAVA_OPTIONS).split(" ", -1))
                        .filter(o -> !o.isEmpty())
                        .toList());
        return Holder.claim(options, launcher, Mounter.ofThisProcess());
    }

    /** What was configured, by key name. */
    Map<String, String> settings() {
        Map<String, String> settings = new TreeMap<>();
        for (Setting setting : config.settings()) {
            if (setting.origin().kind() != Origin.Kind.DEFAULT) {
                settings.put(setting.key().name(), setting.text());
            }
        }
        settings.put(Directories.CACHE.name(), cache.toString());
        settings.put(Directories.STATE.name(), state.path().toString());
        return settings;
    }
}
