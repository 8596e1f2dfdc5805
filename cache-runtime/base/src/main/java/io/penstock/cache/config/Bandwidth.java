package io.penstock.cache.config;

/** Bytes per second, written {@code 250MB/s}, {@code 1GiB/s}, or {@code unlimited}. */
public record Bandwidth(long bytesPerSecond) {
    public static final Bandwidth UNLIMITED = new Bandwidth(Long.MAX_VALUE);
    private static final String PER_SECOND = "/s";

    public Bandwidth {
        if (bytesPerSecond <= 0) {
            throw new IllegalArgumentException("a bandwidth must be more than 0");
        }
    }

    public boolean unlimited() {
        return bytesPerSecond == Long.MAX_VALUE;
    }

    /**
     * Reads a bandwidth.
     *
     * @throws IllegalArgumentException when {@code text} is none
     */
    public static Bandwidth parse(String text) {
        String t = text.strip();
        if (t.equals("unlimited")) {
            return UNLIMITED;
        }
        try {
            return new Bandwidth(
                    DataSize.parse(t.endsWith(PER_SECOND) ? t.substring(0, t.length() - PER_SECOND.length()) : t)
                            .bytes());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("expected a bandwidth such as 250MB/s, 1GiB/s or unlimited", e);
        }
    }

    @Override
    public String toString() {
        return unlimited() ? "unlimited" : new DataSize(bytesPerSecond) + PER_SECOND;
    }
}
