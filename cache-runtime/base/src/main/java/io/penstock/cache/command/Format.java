package io.penstock.cache.command;

/** Forms of a result on stdout. */
public enum Format {
    TABLE,
    WIDE,
    JSON,
    YAML,
    NAME;

    /** For machines: one document. */
    public boolean structured() {
        return this == JSON || this == YAML;
    }
}
