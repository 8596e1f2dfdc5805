package io.penstock.cache.read;

import io.penstock.cache.model.ByteRange;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.Snapshot;
import io.penstock.cache.plan.Plan;
import io.penstock.cache.read.prefetch.Trace;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The order in which chunks are first touched, to be saved as a trace. Thread-safe. */
final class TouchLog {
    private static final Logger LOG = LoggerFactory.getLogger(TouchLog.class);

    private final int chunkSize;
    private final List<Plan.Item> items = new ArrayList<>();

    TouchLog(int chunkSize) {
        this.chunkSize = chunkSize;
    }

    synchronized void add(Entry entry, int chunk) {
        long offset = (long) chunk * chunkSize;
        long length = Math.min(chunkSize, entry.object().size() - offset);
        if (!items.isEmpty()) {
            Plan.Item last = items.getLast();
            if (last.entry().equals(entry) && last.range().end() == offset) {
                items.set(
                        items.size() - 1,
                        new Plan.Item(
                                entry,
                                new ByteRange(
                                        last.range().offset(), last.range().length() + length)));
                return;
            }
        }
        items.add(new Plan.Item(entry, new ByteRange(offset, length)));
    }

    synchronized void save(Snapshot snapshot, Path file) {
        try {
            Trace.write(file, items);
        } catch (IOException e) {
            LOG.warn("the trace of {} could not be written to {}: {}", snapshot.source(), file, e.getMessage());
        }
    }
}
