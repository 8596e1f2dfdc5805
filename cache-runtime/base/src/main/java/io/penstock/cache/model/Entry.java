package io.penstock.cache.model;

import static java.util.Objects.requireNonNull;

/**
 * An object and the place it takes in a snapshot.
 *
 * @param path relative, {@code /}-separated, without empty, {@code .} or {@code ..} segments
 */
public record Entry(String path, ObjectId object) {
    public Entry {
        requireNonNull(object);
        Paths.check(path);
    }
}
