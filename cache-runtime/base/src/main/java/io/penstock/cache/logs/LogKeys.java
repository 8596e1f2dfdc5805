package io.penstock.cache.logs;

import io.penstock.cache.config.Key;
import io.penstock.cache.config.KeyCatalogue;
import java.util.List;

/** What can be configured of a service's log. */
public final class LogKeys implements KeyCatalogue {
    static final Key<LogLevel> LEVEL = Key.choice("log.level", LogLevel.class, LogLevel.INFO, "What a service logs");
    static final Key<LogFormat> FORMAT =
            Key.choice("log.format", LogFormat.class, LogFormat.TEXT, "How a service's log is written");

    enum LogLevel {
        ERROR,
        WARN,
        INFO,
        DEBUG,
        TRACE
    }

    enum LogFormat {
        TEXT,
        JSON
    }

    @Override
    public List<Key<?>> keys() {
        return List.of(LEVEL, FORMAT);
    }
}
