package io.penstock.cache.chunk;

/** What a tier's directory lies on. */
public enum Medium {
    /** A tmpfs: nothing to write back, nothing survives a restart of the machine. */
    MEM,
    SSD,
    HDD
}
