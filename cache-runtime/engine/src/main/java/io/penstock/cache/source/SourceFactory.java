package io.penstock.cache.source;

import java.util.Set;

/** Makes sources for some schemes. Found by {@link java.util.ServiceLoader} when it lies outside this module. */
public interface SourceFactory {
    /** Lower case, for example {@code s3}. */
    Set<String> schemes();

    /** What {@link SourceRequest#options} may hold; every other key is refused before {@link #open}. */
    Set<String> options();

    /**
     * Makes a source; asks nothing of the origin yet.
     *
     * @throws SourceException with {@code BAD_LOCATION} or {@code BAD_VALUE}
     */
    Source open(SourceRequest request) throws SourceException;
}
