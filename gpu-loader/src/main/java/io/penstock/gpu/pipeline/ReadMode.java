package io.penstock.gpu.pipeline;

/** How files are read. */
public enum ReadMode {
    /**
     * What is in the page cache from there, the rest past it, where the file system can do that; through it while another load of
     * this process has the file open, so that what several ranks need is read once.
     */
    AUTO,
    /** Through the page cache. */
    CACHED
}
