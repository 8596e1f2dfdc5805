package io.penstock.cache.read.prefetch;

import io.penstock.cache.model.ByteRange;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.model.Snapshot;
import io.penstock.cache.plan.Plan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The order in which one start touched what, as a text file: a line that names the format, then for each range its
 * offset, its length and the path, separated by spaces. Paths that a later snapshot does not have are passed over.
 */
public final class Trace {
    private static final String FORMAT = "penstock-trace 1";

    private Trace() {}

    public static void write(Path file, List<Plan.Item> touches) throws IOException {
        List<String> lines = new ArrayList<>();
        lines.add(FORMAT);
        for (Plan.Item item : touches) {
            lines.add(item.range().offset() + " " + item.range().length() + " "
                    + item.entry().path());
        }
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        Files.write(fresh, lines);
        Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    /** The plan that fetches what the trace touched, in its order, cut to the sizes of {@code snapshot}. */
    public static Plan read(Path file, Snapshot snapshot) throws PenstockException {
        Map<String, Entry> byPath = new HashMap<>();
        snapshot.entries().forEach(e -> byPath.put(e.path(), e));
        List<Plan.Item> items = new ArrayList<>();
        try {
            List<String> lines = Files.readAllLines(file);
            if (lines.isEmpty() || !lines.getFirst().equals(FORMAT)) {
                throw unreadable(file, "its first line is not '" + FORMAT + "'", null);
            }
            for (String line : lines.subList(1, lines.size())) {
                add(items, line.split(" ", 3), byPath);
            }
        } catch (IOException | IllegalArgumentException | IndexOutOfBoundsException e) {
            throw e instanceof PenstockException p ? p : unreadable(file, e.toString(), e);
        }
        return new Plan("trace", items, List.of());
    }

    private static void add(List<Plan.Item> items, String[] fields, Map<String, Entry> byPath) {
        long offset = Long.parseLong(fields[0]);
        long length = Long.parseLong(fields[1]);
        Entry entry = byPath.get(fields[2]);
        if (entry != null && offset < entry.object().size()) {
            items.add(new Plan.Item(
                    entry, new ByteRange(offset, Math.min(length, entry.object().size() - offset))));
        }
    }

    private static PenstockException unreadable(Path file, String why, Exception cause) {
        return new PenstockException(
                ErrorCode.BAD_VALUE, "trace " + file + " cannot be read: " + why, "Record it again.", false, cause);
    }
}
