package io.penstock.cache.runtime.command;

import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.Output;
import io.penstock.cache.command.Units;
import io.penstock.cache.control.SourceSpecs;
import io.penstock.cache.control.custody.v1.MountAdded;
import io.penstock.cache.control.custody.v1.MountSpec;
import io.penstock.cache.control.custody.v1.Prepared;
import io.penstock.cache.linux.Machine;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.runtime.Installation;
import io.penstock.cache.runtime.MountService;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "mount",
        description = {
            "Mounts a model read-only; it can be read at once.",
            "What is read is kept on this node. The mount outlives the daemon that serves it."
        })
final class MountCommand implements Callable<Integer> {
    private static final Duration PATIENCE = Duration.ofMinutes(10);

    @Mixin
    private GlobalOptions global;

    @Parameters(
            index = "0",
            paramLabel = "SOURCE",
            description = "s3://bucket/model, https://host/dir/, or a directory.")
    private String source;

    @Parameters(index = "1", paramLabel = "DIR", description = "An empty directory; made when it does not exist.")
    private Path point;

    @Option(
            names = "--prefetch",
            paramLabel = "ORDER",
            arity = "0..1",
            fallbackValue = "reading-order",
            description = "Fetches everything at once: reading-order, all, or trace (as read before).")
    private String prefetch;

    @Option(
            names = "--option",
            paramLabel = "NAME=VALUE",
            description = "An option of the source, for example endpoint=https://host; may be repeated.")
    private Map<String, String> options = new LinkedHashMap<>();

    @Option(names = "--offline", description = "Takes the stored snapshot, asks the origin for no list.")
    private boolean offline;

    @Option(names = "--foreground", description = "Stays until it is unmounted; Ctrl-C unmounts.")
    private boolean foreground;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Installation installation = new Installation(global.config());
        new MountService(installation).mount(spec(installation), global.timeout(PATIENCE), foreground, this::tell);
        return ErrorCode.Exit.DONE;
    }

    private MountSpec spec(Installation installation) {
        String location = source.contains("://")
                ? source
                : Path.of(source).toAbsolutePath().normalize().toString();
        return MountSpec.newBuilder()
                .setLocation(location)
                .setMountPoint(point.toAbsolutePath().normalize().toString())
                .putAllEnvironment(SourceSpecs.of(location, System.getenv()).getEnvironmentMap())
                .putAllSettings(options)
                .setOffline(offline)
                .setPrefetch(prefetch == null ? installation.prefetch() : prefetch)
                .setUid(Machine.uid())
                .setGid(Machine.gid())
                .build();
    }

    private void tell(MountAdded added) {
        Output output = global.output();
        Prepared prepared = added.getPrepared();
        prepared.getNotesList().forEach(output::note);
        Duration time = Duration.between(started(), Instant.now());
        output.result(
                "Mount",
                () -> fields(added, time),
                () -> List.of(point.toString()),
                () -> List.of("mounted  snapshot %s  %d objects  %s  %s here  cache %s (room %s)  ready in %s s"
                        .formatted(
                                shortDigest(prepared.getDigest()),
                                prepared.getObjects(),
                                Units.size(prepared.getBytes()),
                                Units.size(prepared.getHereBytes()),
                                added.getCacheDirectory(),
                                Units.size(prepared.getRoomBytes()),
                                String.format(Locale.ROOT, "%.1f", time.toMillis() / 1e3))));
    }

    private Map<String, Object> fields(MountAdded added, Duration time) {
        Prepared prepared = added.getPrepared();
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("mountPoint", point.toString());
        fields.put("source", source);
        fields.put("snapshot", prepared.getDigest());
        fields.put("objects", prepared.getObjects());
        fields.put("bytes", prepared.getBytes());
        fields.put("hereBytes", prepared.getHereBytes());
        fields.put("cacheDirectory", added.getCacheDirectory());
        fields.put("roomBytes", prepared.getRoomBytes());
        fields.put("passthrough", added.getPassThrough());
        fields.put("notes", List.copyOf(prepared.getNotesList()));
        fields.put("seconds", time.toMillis() / 1e3);
        return fields;
    }

    /** When the user pressed Enter: the launcher knows to the microsecond, the kernel to some hundredths of a second. */
    private static Instant started() {
        String launched = System.getenv("PENSTOCK_STARTED");
        return launched != null && launched.matches("[0-9]{1,18}")
                ? Instant.EPOCH.plus(Long.parseLong(launched), ChronoUnit.MICROS)
                : ProcessHandle.current().info().startInstant().orElseGet(Instant::now);
    }

    private static String shortDigest(String digest) {
        return digest.substring(0, Math.min(digest.length(), "sha256:".length() + 6));
    }
}
