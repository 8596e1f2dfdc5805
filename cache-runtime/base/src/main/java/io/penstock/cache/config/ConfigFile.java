package io.penstock.cache.config;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.schema.FailsafeSchema;

/** A file of settings as flat {@code a.b.c} to text; nested YAML keys are joined by dots. */
final class ConfigFile {
    private ConfigFile() {}

    static Map<String, String> read(Path file) throws PenstockException {
        try (Reader in = Files.newBufferedReader(file)) {
            Map<String, String> flat = new LinkedHashMap<>();
            if (file.toString().endsWith(".properties")) {
                Properties properties = new Properties();
                properties.load(in);
                properties.stringPropertyNames().stream()
                        .sorted()
                        .forEach(name -> flat.put(name, properties.getProperty(name)));
            } else {
                flatten("", Yaml.load(in, file), file, flat);
            }
            return flat;
        } catch (YamlEngineException | IllegalArgumentException e) {
            throw unreadable(
                    file, "is no valid configuration: " + e.getMessage().strip(), e);
        } catch (PenstockException e) {
            throw e;
        } catch (IOException e) {
            throw unreadable(file, "cannot be read: " + e, e);
        }
    }

    private static void flatten(String key, Object node, Path file, Map<String, String> flat) throws PenstockException {
        switch (node) {
            case null -> {}
            case Map<?, ?> map -> {
                for (Map.Entry<?, ?> e : map.entrySet()) {
                    flatten(key.isEmpty() ? e.getKey().toString() : key + "." + e.getKey(), e.getValue(), file, flat);
                }
            }
            case Collection<?> list ->
                throw unreadable(file, "has a list at '" + key + "'; every value is one word or number", null);
            default -> flat.put(key, node.toString());
        }
    }

    private static PenstockException unreadable(Path file, String problem, Throwable cause) {
        return new ConfigException(
                ErrorCode.BAD_VALUE,
                "configuration file " + file + " " + problem,
                "Correct the file, or name another with --config FILE.",
                cause);
    }

    /** Apart, so that commands without a YAML file do not load the parser. */
    private static final class Yaml {
        /** Every scalar stays text: the key's own type reads it. */
        static Object load(Reader in, Path file) {
            LoadSettings settings = LoadSettings.builder()
                    .setLabel(file.toString())
                    .setSchema(new FailsafeSchema())
                    .setAllowDuplicateKeys(false)
                    .build();
            return new Load(settings).loadFromReader(in);
        }
    }
}
