package io.penstock.gpu.command;

import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.LayoutOptions;
import io.penstock.cache.command.Output;
import io.penstock.cache.command.Progress;
import io.penstock.cache.command.ProgressState;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.plan.rank.Layout;
import io.penstock.gpu.device.Device;
import io.penstock.gpu.device.Devices;
import io.penstock.gpu.pipeline.Fill;
import io.penstock.gpu.pipeline.Pipeline;
import io.penstock.gpu.pipeline.RingLoad;
import io.penstock.gpu.pipeline.Stages;
import io.penstock.gpu.plan.RankedModel;
import io.penstock.gpu.service.FileModels;
import io.penstock.gpu.service.Model;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "load",
        description = {
            "Loads a model's tensors into the memory of a device, as for an engine, and says how fast each stage was.",
            "MODEL is a directory (a mount, or any other) or one safetensors file."
        },
        subcommands = {ServeCommand.class, InspectCommand.class, PlanCommand.class})
final class LoadCommand implements Callable<Integer> {
    private static final long SLOT = 16L << 20;
    private static final int SLOTS = 4;

    @Mixin
    private GlobalOptions global;

    @Mixin
    private LayoutOptions layouts;

    @Parameters(arity = "0..1", paramLabel = "MODEL", description = "Directory or file.")
    private Path path;

    @Option(
            names = "--device",
            paramLabel = "DEVICE",
            defaultValue = "host",
            description = "host, cuda:0, or host-staged: host memory, filled as a GPU's is.")
    private String device = "host";

    @Option(names = "--digest", description = "Takes a checksum of every tensor as it arrived, and one of all of them.")
    private boolean digest;

    @Option(
            names = "--verify",
            paramLabel = "FILE",
            description = "Compares the checksums with those in FILE, as penstock bench checkpoint writes them.")
    private Path verify;

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (path == null) {
            throw new PenstockException(ErrorCode.USAGE, "penstock load: which model?", "penstock load MODEL");
        }
        Output output = global.output();
        Stages stages = new Stages();
        Pipeline.Options options = LoaderKeys.options(global.config());
        try (Device to = Devices.named(device)) {
            long since = System.nanoTime();
            Model model = model();
            stages.add(Stages.Stage.OPEN, since, 0);
            Digests digests = verify == null ? Digests.none() : Digests.expected(verify);
            LoadResult result;
            try (Pipeline pipeline = Pipeline.open(to, model.files(), options, stages);
                    Progress progress = output.progress("load", path.toString())) {
                result = load(model, to, pipeline, digest || verify != null ? digests : null, stages, progress);
            }
            output.result("Load", result::fields, () -> List.of(result.digest()), result::lines);
            return result.wrong().isEmpty() ? ErrorCode.Exit.DONE : ErrorCode.CHECKSUM_MISMATCH.exit();
        }
    }

    private Model model() throws IOException {
        Model model = new FileModels().open(path.toAbsolutePath(), List.of(), null);
        if (!layouts.given()) {
            return model;
        }
        Layout layout = layouts.layout();
        return RankedModel.of(model).only(layout, layouts.ranks(layout));
    }

    private LoadResult load(
            Model model, Device to, Pipeline pipeline, Digests digests, Stages stages, Progress progress)
            throws IOException, InterruptedException {
        List<Fill.Part> parts = model.tensors().stream()
                .map(t -> new Fill.Part(t.file(), t.offset(), t.length(), 0))
                .toList();
        long[] done = new long[2];
        long total = model.bytes();
        new RingLoad(to, pipeline, SLOT, SLOTS).run(parts, (index, memory, at, length) -> {
            Model.Tensor tensor = model.tensors().get(index);
            if (done[0] == 0) {
                done[1] = System.nanoTime();
            }
            if (digests != null) {
                long since = System.nanoTime();
                digests.take(tensor.name(), memory, at, length);
                stages.add(Stages.Stage.CHECK, since, length);
            }
            done[0] += length;
            progress.update(ProgressState.local(
                    done[0], total, tensor.file(), model.files().size()));
        });
        progress.finish(ProgressState.local(
                total, total, model.files().size(), model.files().size()));
        return LoadResult.of(model, to.description(), stages, pipeline.stagingPeak(), digests);
    }
}
