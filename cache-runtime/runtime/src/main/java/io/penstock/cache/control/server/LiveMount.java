package io.penstock.cache.control.server;

import io.penstock.cache.read.MountReader;
import java.nio.file.Path;
import java.time.Instant;
import java.util.function.Supplier;

/** A snapshot that is served at a mount point now. */
public record LiveMount(String id, Path mountPoint, MountReader reader, Instant mounted, Supplier<MountStats> stats) {}
