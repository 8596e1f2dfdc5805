package io.penstock.cache.chunk;

import java.nio.file.Path;

/**
 * A tier at one moment.
 *
 * @param quota most bytes this tier may hold
 * @param used bytes it holds
 * @param room bytes that can still be written: what is left of the quota and of the file system, whichever is less
 * @param failure why nothing is written to this tier at the moment; empty when it works
 */
public record TierUsage(String name, Path directory, long quota, long used, long room, String failure) {}
