package io.penstock.cache.command;

import io.penstock.cache.model.ErrorCode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/**
 * What there is to say about an error code, for people.
 *
 * @param causes the likely one first
 * @param commands what to type to find out or to mend it
 */
public record Explanation(ErrorCode code, String meaning, List<String> causes, List<String> commands) {
    private static final class Texts {
        static final Map<?, ?> ALL = load();

        private static Map<?, ?> load() {
            try (InputStream in = ErrorCode.class.getResourceAsStream("errors.yaml")) {
                return (Map<?, ?>) new Load(LoadSettings.builder().build()).loadFromInputStream(in);
            } catch (IOException e) {
                throw new UncheckedIOException("the jar of this class is damaged", e);
            }
        }
    }

    /** The explanation of {@code code}. */
    public static Explanation of(ErrorCode code) {
        if (!(Texts.ALL.get(code.code()) instanceof Map<?, ?> entry)) {
            throw new IllegalStateException("errors.yaml does not explain " + code.code());
        }
        return new Explanation(
                code, entry.get("meaning").toString(), strings(entry.get("causes")), strings(entry.get("commands")));
    }

    private static List<String> strings(Object list) {
        return ((List<?>) list).stream().map(Object::toString).toList();
    }
}
