package io.penstock.cache.config;

/**
 * A key's value as written, and where it was written.
 *
 * @param text null when there is neither a value nor a default
 */
public record Setting(Key<?> key, String text, Origin origin) {
    static final String MASK = "********";

    /** What may be shown: secrets are masked. */
    public String shown() {
        if (text == null) {
            return "";
        }
        return key.isSecret() && !text.isEmpty() ? MASK : text;
    }

    @Override
    public String toString() {
        return key + "=" + shown() + " (" + origin + ")";
    }
}
