package io.penstock.cache.source;

import java.io.IOException;

/** A place with objects that a test may change, and sources on it. */
public interface TestOrigin extends AutoCloseable {
    /** Stores an object, replacing the one of that name with a new version. */
    void put(String key, byte[] content) throws Exception;

    void remove(String key) throws Exception;

    /** A source on what lies under {@code key}; empty for all. */
    Source open(String key) throws Exception;

    @Override
    void close() throws IOException;
}
