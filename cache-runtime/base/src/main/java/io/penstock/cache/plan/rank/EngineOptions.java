package io.penstock.cache.plan.rank;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Options of an engine's command line, by the name that they are known by here. */
final class EngineOptions {
    private final Map<String, String> values = new HashMap<>();

    /**
     * Takes the options apart.
     *
     * @param names what each is called on a command line, without dashes, and here
     * @param flags those of them, as they are called here, that have no value
     * @throws EngineArguments.NotKnown one is there twice with two values, has none, or may be short for one of these
     */
    static EngineOptions of(List<String> words, Map<String, String> names, Set<String> flags)
            throws EngineArguments.NotKnown {
        EngineOptions options = new EngineOptions();
        for (int i = 0; i < words.size(); i++) {
            String word = words.get(i);
            if (!word.startsWith("-") || word.equals("-") || word.matches("-[0-9.]+")) {
                continue;
            }
            int equals = word.indexOf('=');
            String written = equals < 0 ? word : word.substring(0, equals);
            String option = written.replaceFirst("^--?", "").replace('_', '-');
            String name = names.get(option);
            if (name == null) {
                int dot = option.indexOf('.');
                if (dot > 0 && names.containsKey(option.substring(0, dot))) {
                    throw new EngineArguments.NotKnown(written + " is not understood here");
                }
                boolean other = option.equals("model"); // its own, and the beginning of another's
                if (written.startsWith("--")
                        && !other
                        && names.keySet().stream().anyMatch(n -> n.startsWith(option))) {
                    throw new EngineArguments.NotKnown(written + " may be short for another option");
                }
                continue;
            }
            String value = equals < 0 ? "" : word.substring(equals + 1);
            if (equals < 0 && !flags.contains(name)) {
                if (++i == words.size()) {
                    throw new EngineArguments.NotKnown(written + " has no value");
                }
                value = words.get(i);
            }
            String before = options.values.putIfAbsent(name, value);
            if (before != null && !before.equals(value)) {
                throw new EngineArguments.NotKnown(written + " is there twice");
            }
        }
        return options;
    }

    boolean has(String name) {
        return values.containsKey(name);
    }

    String text(String name, String usual) {
        return values.getOrDefault(name, usual);
    }

    /** @throws EngineArguments.NotKnown it is no number */
    int number(String name, int usual) throws EngineArguments.NotKnown {
        String value = values.get(name);
        if (value == null) {
            return usual;
        }
        if (!value.matches("[0-9]{1,5}")) {
            throw new EngineArguments.NotKnown(name + " is '" + EngineArguments.shown(value) + "', no number");
        }
        return Integer.parseInt(value);
    }

    /** @throws EngineArguments.NotKnown it is there, and none of these */
    void require(String name, String... harmless) throws EngineArguments.NotKnown {
        if (has(name) && !Set.of(harmless).contains(values.get(name))) {
            throw new EngineArguments.NotKnown("what its ranks need with " + name + " is not known");
        }
    }
}
