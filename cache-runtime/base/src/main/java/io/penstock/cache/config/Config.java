package io.penstock.cache.config;

import io.penstock.cache.model.ErrorCode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * One checked value for each key: flag before environment before file before default. Immutable, thread-safe. Made by
 * {@link ConfigLoader}.
 */
public final class Config {
    private final Map<String, Setting> settings;
    private final Map<String, Object> values;

    private Config(Map<String, Setting> settings, Map<String, Object> values) {
        this.settings = settings;
        this.values = values;
    }

    /** Only defaults, for keys that anybody asks for. */
    public static Config defaults() {
        return new Config(Map.of(), Map.of());
    }

    /**
     * @param written what was written, in rising precedence
     * @throws ConfigException when a key is unknown or a value cannot be read
     */
    static Config of(Collection<Key<?>> keys, List<Written> written) throws ConfigException {
        Map<String, Setting> settings = new TreeMap<>();
        for (Key<?> key : keys) {
            settings.put(key.name(), new Setting(key, key.defaultText(), Origin.DEFAULT));
        }
        for (Written w : written) {
            Setting known = settings.get(w.key());
            if (known == null) {
                throw Unknown.key(w.key(), w.origin(), settings.keySet());
            }
            settings.put(w.key(), new Setting(known.key(), w.text(), w.origin()));
        }
        Map<String, Object> values = new HashMap<>();
        for (Setting setting : settings.values()) {
            if (setting.text() != null) {
                values.put(setting.key().name(), parse(setting));
            }
        }
        return new Config(settings, values);
    }

    /** A value that somebody wrote. */
    record Written(String key, String text, Origin origin) {}

    /**
     * The key's value.
     *
     * @throws IllegalStateException when it has neither a value nor a default: use {@link #find} for such keys
     */
    public <T> T get(Key<T> key) {
        return find(key).orElseThrow(() -> new IllegalStateException(key + " has no value and no default"));
    }

    /** Empty when the key has neither a value nor a default. */
    @SuppressWarnings("unchecked") // values are made by the key's own parser
    public <T> Optional<T> find(Key<T> key) {
        Object value = values.get(key.name());
        if (value == null && !settings.containsKey(key.name()) && key.defaultText() != null) {
            value = key.parse(key.defaultText());
        }
        return Optional.ofNullable((T) value);
    }

    /** Where the key's value was written. */
    public Origin origin(Key<?> key) {
        Setting setting = settings.get(key.name());
        return setting == null ? Origin.DEFAULT : setting.origin();
    }

    /** Every key with its value, by name. */
    public List<Setting> settings() {
        List<Setting> all = new ArrayList<>(settings.values());
        all.sort(Comparator.comparing(s -> s.key().name()));
        return all;
    }

    private static Object parse(Setting setting) throws ConfigException {
        Key<?> key = setting.key();
        try {
            return key.parse(setting.text());
        } catch (IllegalArgumentException e) {
            String shown = key.isSecret() ? "a value that is not shown" : "'" + setting.text() + "'";
            throw new ConfigException(
                    ErrorCode.BAD_VALUE,
                    "%s from %s is %s: %s".formatted(key, setting.origin(), shown, e.getMessage()),
                    "Correct the value. What it means: " + key.description(),
                    key.isSecret() ? null : e);
        }
    }
}
