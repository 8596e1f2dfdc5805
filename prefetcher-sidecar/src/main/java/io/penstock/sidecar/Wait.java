package io.penstock.sidecar;

import io.penstock.cache.config.DataSize;

/** What the engine waits for. */
public sealed interface Wait {
    /** Every byte of the plan. */
    record All() implements Wait {}

    /** So many bytes of the plan, or all when it has fewer. */
    record Bytes(long bytes) implements Wait {}

    /** Configuration, tokenizer, and the headers of the weights. */
    record Config() implements Wait {}

    /** Nothing: the bytes come while the engine starts. */
    record None() implements Wait {}

    /**
     * From {@code all}, {@code bytes=20GiB}, {@code config} or {@code none}.
     *
     * @throws IllegalArgumentException it is none of these
     */
    static Wait parse(String text) {
        return switch (text) {
            case "all" -> new All();
            case "config" -> new Config();
            case "none" -> new None();
            default -> {
                if (!text.startsWith("bytes=")) {
                    throw new IllegalArgumentException("expected all, bytes=SIZE, config or none");
                }
                yield new Bytes(
                        DataSize.parse(text.substring("bytes=".length())).bytes());
            }
        };
    }
}
