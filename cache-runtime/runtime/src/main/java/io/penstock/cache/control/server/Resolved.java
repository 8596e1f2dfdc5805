package io.penstock.cache.control.server;

import io.penstock.cache.model.Snapshot;
import io.penstock.cache.source.Source;
import java.util.List;

/**
 * A snapshot and the source that can read it; whoever has it closes the source.
 *
 * @param notes what the person should know, for example that the stored snapshot was taken
 */
public record Resolved(Snapshot snapshot, Source source, List<String> notes) {}
