package io.penstock.cache.plan;

import io.penstock.cache.model.ByteRange;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.Snapshot;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** Makes plans from what a snapshot's paths and sizes tell. */
public final class Planner {
    /** Enough for the header of a usual shard. */
    public static final long HEADER = 256 << 10;

    static final long SMALL = 64L << 20;
    private static final Set<String> WEIGHTS = Set.of("safetensors", "gguf");
    private static final Set<String> OTHER_WEIGHTS =
            Set.of("bin", "pth", "pt", "ckpt", "h5", "msgpack", "onnx", "ot", "tflite", "nemo", "mlmodel");
    private static final Comparator<Entry> NATURAL = Comparator.comparing(Entry::path, NaturalOrder.INSTANCE);

    private Planner() {}

    /** Everything, in natural order. */
    public static Plan all(Snapshot snapshot) {
        List<Plan.Item> items = new ArrayList<>();
        sorted(snapshot.entries(), e -> true).forEach(e -> whole(e, items));
        return new Plan("all", items, List.of());
    }

    /**
     * As engines read: configuration and tokenizer first, then the headers of the shards, then the shards in natural
     * order. Copies of the same weights in other formats are left out where there are safetensors beside or above them.
     */
    public static Plan readingOrder(Snapshot snapshot) {
        Set<String> safetensors = new HashSet<>();
        Set<String> sharded = new HashSet<>();
        for (Entry entry : snapshot.entries()) {
            if (extension(entry).equals("safetensors") && !consolidated(entry)) {
                safetensors.add(directory(entry));
                sharded.add(directory(entry));
            }
        }
        snapshot.entries().stream()
                .filter(e -> extension(e).equals("safetensors"))
                .forEach(e -> safetensors.add(directory(e)));
        Predicate<Entry> copy = e -> (consolidated(e) && extension(e).equals("safetensors"))
                ? sharded.contains(directory(e))
                : OTHER_WEIGHTS.contains(extension(e)) && within(directory(e), safetensors);
        Predicate<Entry> small =
                e -> !WEIGHTS.contains(extension(e)) && e.object().size() <= SMALL;
        Predicate<Entry> weights = e -> WEIGHTS.contains(extension(e));

        List<Plan.Item> items = new ArrayList<>();
        sorted(snapshot.entries(), small.and(copy.negate())).stream()
                .sorted(Comparator.comparingInt(Planner::rank))
                .forEach(e -> whole(e, items));
        List<Entry> shards = sorted(snapshot.entries(), weights.and(copy.negate()));
        for (Entry shard : shards) {
            if (shard.object().size() > 0) {
                items.add(new Plan.Item(
                        shard, new ByteRange(0, Math.min(HEADER, shard.object().size()))));
            }
        }
        shards.forEach(e -> whole(e, items));
        sorted(snapshot.entries(), small.or(weights).or(copy).negate()).forEach(e -> whole(e, items));
        return new Plan("reading-order", items, sorted(snapshot.entries(), copy));
    }

    /** The files that match a glob, glob by glob; {@code *} does not cross {@code /}, {@code **} does. */
    public static Plan globs(Snapshot snapshot, List<String> globs) {
        List<Plan.Item> items = new ArrayList<>();
        Set<Entry> taken = new HashSet<>();
        for (String glob : globs) {
            PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + glob);
            sorted(snapshot.entries(), e -> matcher.matches(Path.of(e.path())) && taken.add(e))
                    .forEach(e -> whole(e, items));
        }
        return new Plan("glob", items, List.of());
    }

    private static List<Entry> sorted(List<Entry> entries, Predicate<Entry> which) {
        return entries.stream().filter(which).sorted(NATURAL).toList();
    }

    private static void whole(Entry entry, List<Plan.Item> items) {
        if (entry.object().size() > 0) {
            items.add(new Plan.Item(entry, new ByteRange(0, entry.object().size())));
        }
    }

    /** Small files: configuration, indexes and tokenizer before the rest. */
    private static int rank(Entry entry) {
        String name = name(entry);
        if (name.equals("config.json") || name.equals("params.json")) {
            return 0;
        }
        if (name.endsWith(".index.json")) {
            return 1;
        }
        if (name.endsWith(".json") || name.endsWith(".txt") || name.endsWith(".model") || name.endsWith(".jinja")) {
            return name.contains("token") || name.contains("vocab") ? 2 : 3;
        }
        return name.endsWith(".py") ? 3 : 4;
    }

    private static boolean consolidated(Entry entry) {
        return name(entry).startsWith("consolidated");
    }

    /** True when {@code directory} is one of them or lies below one. */
    private static boolean within(String directory, Set<String> directories) {
        for (String at = directory; ; at = parent(at)) {
            if (directories.contains(at)) {
                return true;
            }
            if (at.isEmpty()) {
                return false;
            }
        }
    }

    private static String directory(Entry entry) {
        return parent(entry.path());
    }

    private static String parent(String path) {
        int slash = path.lastIndexOf('/');
        return slash < 0 ? "" : path.substring(0, slash);
    }

    private static String name(Entry entry) {
        return entry.path().substring(entry.path().lastIndexOf('/') + 1);
    }

    private static String extension(Entry entry) {
        String name = name(entry);
        int dot = name.lastIndexOf('.');
        return dot < 0 ? "" : name.substring(dot + 1);
    }
}
