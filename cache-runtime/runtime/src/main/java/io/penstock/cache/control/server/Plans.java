package io.penstock.cache.control.server;

import io.penstock.cache.control.v1.ObjectRange;
import io.penstock.cache.control.v1.PlanSpec;
import io.penstock.cache.model.ByteRange;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.model.Snapshot;
import io.penstock.cache.plan.Plan;
import io.penstock.cache.plan.Planner;
import io.penstock.cache.read.prefetch.Trace;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Plans as they are asked for. */
final class Plans {
    private Plans() {}

    /** Of every kind but layouts, for which the model itself must be read. */
    static Plan of(PlanSpec spec, Snapshot snapshot, Path newestTrace) throws PenstockException {
        return switch (spec.getPlanCase()) {
            case PLAN_NOT_SET -> Planner.readingOrder(snapshot);
            case NAMED -> named(spec.getNamed(), snapshot, newestTrace);
            case GLOBS -> globs(snapshot, spec.getGlobs().getGlobsList());
            case RANGES -> ranges(snapshot, spec.getRanges().getRangesList());
            case TRACE -> trace(snapshot, spec.getTrace().isEmpty() ? newestTrace : Path.of(spec.getTrace()));
            case LAYOUT -> throw new IllegalArgumentException("a layout is no plan yet");
        };
    }

    static Plan named(String name, Snapshot snapshot, Path newestTrace) throws PenstockException {
        return switch (name) {
            case "", "reading-order" -> Planner.readingOrder(snapshot);
            case "all" -> Planner.all(snapshot);
            case "trace" -> trace(snapshot, newestTrace);
            default -> throw usage("there is no plan called " + name, "It is one of all, reading-order, trace.");
        };
    }

    private static Plan globs(Snapshot snapshot, List<String> globs) throws PenstockException {
        Plan plan;
        try {
            plan = Planner.globs(snapshot, globs);
        } catch (IllegalArgumentException e) {
            throw usage("a pattern cannot be read: " + e.getMessage(), "Write it as *.json or original/**.");
        }
        if (plan.items().isEmpty()) {
            throw usage(
                    "no file of " + snapshot.source() + " matches " + String.join(" ", globs),
                    "Patterns are matched against whole paths; ** crosses directories.");
        }
        return plan;
    }

    private static Plan ranges(Snapshot snapshot, List<ObjectRange> ranges) throws PenstockException {
        Map<String, Entry> byPath = new HashMap<>();
        snapshot.entries().forEach(e -> byPath.put(e.path(), e));
        List<Plan.Item> items = new ArrayList<>();
        for (ObjectRange range : ranges) {
            Entry entry = byPath.get(range.getPath());
            if (entry == null) {
                throw usage(snapshot.source() + " has no file " + range.getPath(), "");
            }
            long length = range.getLength() == 0 ? entry.object().size() - range.getOffset() : range.getLength();
            try {
                items.add(new Plan.Item(entry, new ByteRange(range.getOffset(), length)));
            } catch (IllegalArgumentException e) {
                throw usage(range.getPath() + ": " + e.getMessage(), "");
            }
        }
        return new Plan("ranges", items, List.of());
    }

    private static Plan trace(Snapshot snapshot, Path file) throws PenstockException {
        if (file == null || !Files.isRegularFile(file)) {
            throw new PenstockException(
                    ErrorCode.BAD_VALUE,
                    "no start of " + snapshot.source() + " was recorded here" + (file == null ? "" : " in " + file),
                    "Mount it, let the engine load it, and unmount: that records the order of its reads.");
        }
        return Trace.read(file, snapshot);
    }

    private static PenstockException usage(String message, String remedy) {
        return new PenstockException(ErrorCode.USAGE, message, remedy);
    }
}
