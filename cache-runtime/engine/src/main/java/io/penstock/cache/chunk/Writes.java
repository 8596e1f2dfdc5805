package io.penstock.cache.chunk;

/** How chunks get to a tier's disk. */
public enum Writes {
    /** Past the page cache: least CPU, no dirty memory, and the writer goes at the pace of the disk. */
    DIRECT,
    /**
     * Through the page cache, write-back started at once: a reader that comes soon finds the bytes in memory, and a disk
     * that is slower than the network is made up for as far as the kernel allows dirty memory.
     */
    CACHED
}
