package io.penstock.cache.config;

import java.util.List;

/**
 * The keys of one part. Found by {@link java.util.ServiceLoader}, so it is loaded by every command: it must hold nothing
 * but keys, and need no other library.
 */
public interface KeyCatalogue {
    List<Key<?>> keys();
}
