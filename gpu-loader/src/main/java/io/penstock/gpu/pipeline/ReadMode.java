package io.penstock.gpu.pipeline;

/** How files are read. */
public enum ReadMode {
    /** What is in the page cache from there, the rest past it, where the file system can do that. */
    AUTO,
    /** Through the page cache. */
    CACHED
}
