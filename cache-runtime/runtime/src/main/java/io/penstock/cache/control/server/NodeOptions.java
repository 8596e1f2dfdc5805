package io.penstock.cache.control.server;

import io.penstock.cache.chunk.StoreOptions;
import io.penstock.cache.read.ReadOptions;
import io.penstock.cache.source.net.NetOptions;
import java.nio.file.Path;

/**
 * How one node is set up.
 *
 * @param directory of the cache; snapshots and traces are kept below it
 * @param netThreads threads that read sockets
 */
public record NodeOptions(Path directory, StoreOptions store, ReadOptions read, NetOptions net, int netThreads) {}
