package io.penstock.cli.node;

import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.LayoutOptions;
import io.penstock.cache.command.Output;
import io.penstock.cache.command.Units;
import io.penstock.cache.config.Bandwidth;
import io.penstock.cache.control.ControlClient;
import io.penstock.cache.control.LayoutSpecs;
import io.penstock.cache.control.PlanSpecs;
import io.penstock.cache.control.SourceSpecs;
import io.penstock.cache.control.v1.ChangePrefetchRequest.Action;
import io.penstock.cache.control.v1.GlobList;
import io.penstock.cache.control.v1.PlanSpec;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.control.v1.PrefetchPlan;
import io.penstock.cache.control.v1.StartPrefetchRequest;
import io.penstock.cache.linux.Mounts;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.plan.rank.Layout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "prefetch",
        description = {
            "Fetches a model before anybody reads it, and shows how far it is.",
            "Ctrl-C stops it; what is here stays, and the same command goes on from there."
        })
final class PrefetchCommand implements Callable<Integer> {
    private static final String OURS = "fuse.penstock";

    @Mixin
    private GlobalOptions global;

    @Mixin
    private LayoutOptions layouts;

    @Parameters(
            paramLabel = "SOURCE",
            description = "s3://bucket/model, a mount point, a directory, or a snapshot that is known here.")
    private String source;

    @Option(names = "--dry-run", description = "Only says what would be fetched.")
    private boolean dryRun;

    @Option(
            names = "--order",
            paramLabel = "ORDER",
            defaultValue = "reading-order",
            description = "all, reading-order (as engines read: config and tokenizer, then weights), or trace (as read"
                    + " before).")
    private String order = "reading-order";

    @Option(names = "--glob", paramLabel = "PATTERN", description = "Only objects whose path matches; may be repeated.")
    private List<String> globs = List.of();

    @Option(
            names = "--bandwidth",
            paramLabel = "RATE",
            converter = BandwidthConverter.class,
            description = "Takes at most this much from the origin: 250MB/s.")
    private Bandwidth bandwidth = Bandwidth.UNLIMITED;

    @Option(names = "--pin", description = "Keeps what is fetched until it is unpinned.")
    private boolean pin;

    @Option(names = "--detach", description = "Starts it and returns.")
    private boolean detach;

    @ArgGroup
    private Change change;

    /** Of a prefetch that is there already. */
    static final class Change {
        @Option(names = "--pause", description = "Pauses the running prefetch of SOURCE.")
        private boolean pause;

        @Option(names = "--resume", description = "Lets a paused prefetch of SOURCE go on.")
        private boolean resume;

        @Option(names = "--cancel", description = "Ends the prefetch of SOURCE.")
        private boolean cancel;

        private Action action() {
            if (pause) {
                return Action.PAUSE;
            }
            if (resume) {
                return Action.RESUME;
            }
            return cancel ? Action.CANCEL : Action.ACTION_UNSPECIFIED;
        }
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        Output output = global.output();
        try (ControlClient client = Daemon.connect(global)) {
            if (change != null) {
                tell(output, change(client));
                return ErrorCode.Exit.DONE;
            }
            StartPrefetchRequest request = request();
            if (dryRun) {
                tell(output, client.planPrefetch(request));
                return ErrorCode.Exit.DONE;
            }
            PrefetchJob job = client.startPrefetch(request);
            job.getNotesList().forEach(output::note);
            if (!detach) {
                job = new PrefetchWatch(client, output, global.timeout(PrefetchWatch.FOREVER)).follow(job);
            }
            tell(output, job);
            return ErrorCode.Exit.DONE;
        }
    }

    private StartPrefetchRequest request() throws IOException {
        StartPrefetchRequest.Builder request =
                StartPrefetchRequest.newBuilder().setPlan(plan()).setPin(pin);
        if (source.contains("://")) {
            request.setSource(SourceSpecs.of(source, System.getenv()));
        } else if (isPlainDirectory(source)) {
            request.setSource(SourceSpecs.of(mountPoint(source), System.getenv()));
        } else {
            request.setSnapshot(mountPoint(source));
            request.setSource(SourceSpecs.of("", System.getenv())); // the daemon knows where, not as whom
        }
        return request.setBandwidthBytesPerSecond(bandwidth.unlimited() ? 0 : bandwidth.bytesPerSecond())
                .build();
    }

    private static boolean isPlainDirectory(String word) throws IOException {
        if (!word.contains("/")) {
            return false;
        }
        Path path = Path.of(word).toAbsolutePath().normalize();
        Mounts.Mount mount = Mounts.at(path);
        return (mount == null || !mount.type().equals(OURS)) && Files.isDirectory(path);
    }

    /** A path is a mount point; anything else names a snapshot. */
    private static String mountPoint(String word) {
        return word.contains("/") ? Path.of(word).toAbsolutePath().normalize().toString() : word;
    }

    private PlanSpec plan() throws IOException {
        if (layouts.given()) {
            if (!globs.isEmpty()) {
                throw new PenstockException(
                        ErrorCode.USAGE, "--glob and ranks do not go together", "Leave one of them out.");
            }
            Layout layout = layouts.layout();
            return LayoutSpecs.plan(layout, layouts.ranks(layout));
        }
        if (!globs.isEmpty()) {
            return PlanSpec.newBuilder()
                    .setGlobs(GlobList.newBuilder().addAllGlobs(globs))
                    .build();
        }
        if (!PlanSpecs.NAMES.contains(order)) {
            throw new PenstockException(
                    ErrorCode.USAGE,
                    "there is no order '" + order + "'",
                    "Use all, reading-order or trace; to choose objects, --glob PATTERN.");
        }
        return PlanSpecs.named(order);
    }

    private PrefetchJob change(ControlClient client) throws PenstockException {
        Action action = change.action();
        List<PrefetchJob> jobs = client.status().getPrefetchesList().stream()
                .filter(j -> j.getId().equals(source)
                        || j.getSnapshot().getSource().equals(source)
                        || Shown.shortDigest(j.getSnapshot().getDigest()).equals(Shown.shortDigest(source)))
                .filter(j -> j.getState() == PrefetchJob.State.RUNNING || j.getState() == PrefetchJob.State.PAUSED)
                .toList();
        if (jobs.isEmpty()) {
            throw new PenstockException(
                    ErrorCode.UNKNOWN_SNAPSHOT,
                    "no prefetch of " + source + " is running or paused",
                    "penstock status");
        }
        return client.changePrefetch(jobs.getFirst().getId(), action);
    }

    private static void tell(Output output, PrefetchPlan plan) {
        plan.getNotesList().forEach(output::note);
        output.result(
                "PrefetchPlan",
                () -> fields(plan),
                () -> List.of(plan.getSnapshot().getDigest()),
                () -> List.of("%d objects %s in %d ranges; %s here, %s from origin"
                        .formatted(
                                plan.getObjects(),
                                Units.size(plan.getPlannedBytes()),
                                plan.getRanges(),
                                Units.size(plan.getHereBytes()),
                                Units.size(plan.getOriginBytes()))));
    }

    private static Map<String, Object> fields(PrefetchPlan plan) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("snapshot", Shown.fields(plan.getSnapshot()));
        fields.put("objects", plan.getObjects());
        fields.put("ranges", plan.getRanges());
        fields.put("plannedBytes", plan.getPlannedBytes());
        fields.put("hereBytes", plan.getHereBytes());
        fields.put("peerBytes", plan.getPeerBytes());
        fields.put("originBytes", plan.getOriginBytes());
        return fields;
    }

    private static void tell(Output output, PrefetchJob job) {
        output.result(
                "Prefetch",
                () -> Shown.fields(job),
                () -> List.of(job.getId()),
                () -> List.of("%s  prefetch %s  snapshot %s  %d/%d objects  %s of %s"
                        .formatted(
                                Shown.state(job),
                                job.getId(),
                                Shown.shortDigest(job.getSnapshot().getDigest()),
                                job.getCompleteObjects(),
                                job.getObjects(),
                                Units.size(job.getDoneBytes()),
                                Units.size(job.getPlannedBytes()))));
    }
}
