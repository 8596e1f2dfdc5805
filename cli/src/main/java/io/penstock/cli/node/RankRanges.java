package io.penstock.cli.node;

import io.penstock.cache.command.LayoutOptions;
import io.penstock.cache.control.v1.ObjectRange;
import io.penstock.cache.control.v1.PlanSpec;
import io.penstock.cache.control.v1.RangeList;
import io.penstock.cache.model.ByteRange;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.plan.NaturalOrder;
import io.penstock.cache.plan.rank.Layout;
import io.penstock.cache.plan.rank.RankPlan;
import io.penstock.gpu.plan.RankedModel;
import io.penstock.gpu.service.FileModels;
import io.penstock.gpu.service.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** What is fetched for some ranks: the small files, all headers, then the ranges that the ranks need, shard by shard. */
final class RankRanges {
    /** Chunks are fetched whole: less than one between two ranges saves nothing. */
    private static final long GAP = 8 << 20;

    private static final long SMALL = 64 << 20;
    private static final String WEIGHTS = ".safetensors";

    private RankRanges() {}

    /**
     * Of the model in a directory, whose headers are read here.
     *
     * @param notes hears what a person should know
     * @throws PenstockException there is no directory, no model in it, or no such rank
     */
    static PlanSpec of(String source, LayoutOptions layouts, Consumer<String> notes) throws IOException {
        Path directory = Path.of(source).toAbsolutePath().normalize();
        if (source.contains("://") || !Files.isDirectory(directory)) {
            throw new PenstockException(
                    ErrorCode.USAGE,
                    "what a rank of " + source + " needs is told by its files' headers, and " + source
                            + " is no directory",
                    "Mount it first, then: penstock prefetch MOUNTPOINT --rank N.");
        }
        Layout layout = layouts.layout();
        Model model = new FileModels().open(directory);
        RankPlan plan = RankedModel.of(model).plan(layout, layouts.ranks(layout));
        plan.notes().forEach(notes);
        SortedMap<String, List<ByteRange>> ranges = new TreeMap<>(NaturalOrder.INSTANCE);
        ranges.putAll(plan.joined(GAP).files());
        List<ObjectRange> wanted = new ArrayList<>(small(directory));
        SortedMap<String, Long> headers = new TreeMap<>(NaturalOrder.INSTANCE);
        for (Model.Tensor tensor : model.tensors()) {
            String file = model.files().get(tensor.file()).getFileName().toString();
            headers.merge(file, tensor.offset(), Math::min);
        }
        headers.forEach((file, end) -> wanted.add(range(file, 0, end)));
        ranges.forEach((file, own) -> own.forEach(r -> wanted.add(range(file, r.offset(), r.length()))));
        return PlanSpec.newBuilder()
                .setRanges(RangeList.newBuilder().addAllRanges(wanted))
                .build();
    }

    private static List<ObjectRange> small(Path directory) throws IOException {
        List<ObjectRange> small = new ArrayList<>();
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.sorted().toList()) {
                String name = file.getFileName().toString();
                boolean other = !name.startsWith(".") && !name.endsWith(WEIGHTS) && Files.isRegularFile(file);
                long size = other ? Files.size(file) : 0;
                if (size > 0 && size <= SMALL) {
                    small.add(range(name, 0, size));
                }
            }
        }
        return small;
    }

    private static ObjectRange range(String file, long offset, long length) {
        return ObjectRange.newBuilder()
                .setPath(file)
                .setOffset(offset)
                .setLength(length)
                .build();
    }
}
