package io.penstock.cli.node;

import io.penstock.cache.command.Output;
import io.penstock.cache.command.Output.Paint;
import io.penstock.cache.command.Table;
import io.penstock.cache.command.Units;
import io.penstock.cache.control.v1.ErrorInfo;
import io.penstock.cache.control.v1.MountInfo;
import io.penstock.cache.control.v1.NodeStatus;
import io.penstock.cache.control.v1.OriginHealth;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.control.v1.TierInfo;
import io.penstock.cache.model.ErrorCode;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A status as people read it: one line that says whether all is well, then the mounts, prefetches and errors. */
final class StatusText {
    private static final int FEW = 3;

    private final NodeStatus status;
    private final Output output;
    private final Instant now;

    StatusText(NodeStatus status, Output output, Instant now) {
        this.status = status;
        this.output = output;
        this.now = now;
    }

    List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add(headline());
        if (status.getMountsCount() > 0) {
            lines.addAll(mounts().lines(output.wide()));
        }
        if (status.getPrefetchesCount() > 0) {
            lines.add("");
            lines.addAll(prefetches().lines(output.wide()));
        }
        if (output.wide()) {
            lines.add("");
            lines.addAll(tiers().lines(true));
            lines.add("memory " + Units.size(status.getMemory().getReservedBytes()) + " of "
                    + Units.size(status.getMemory().getBudgetBytes()) + " reserved, process "
                    + Units.size(status.getMemory().getResidentBytes()) + "; takeovers " + status.getTakeovers());
        }
        status.getTiersList().stream().filter(t -> !t.getFailure().isEmpty()).forEach(t -> lines.addAll(failing(t)));
        status.getErrorsList().stream()
                .limit(output.wide() ? Integer.MAX_VALUE : FEW)
                .forEach(e -> lines.addAll(error(e)));
        return lines;
    }

    private String headline() {
        long errors =
                status.getErrorsList().stream().mapToLong(ErrorInfo::getCount).sum();
        long running = status.getPrefetchesList().stream()
                .filter(j -> j.getState() == PrefetchJob.State.RUNNING)
                .count();
        boolean originsWell = status.getOriginsList().stream().allMatch(OriginHealth::getOk);
        boolean tiersWell =
                status.getTiersList().stream().allMatch(t -> t.getFailure().isEmpty());
        boolean well = errors == 0 && originsWell && tiersWell && status.getHeld();
        String word = well ? output.paint(Paint.GOOD, "OK") : output.paint(Paint.BAD, "LOOK");
        return "%s  %s, %s running, %s in 15 min%s   penstock %s  kernel %s passthrough %s resend %s"
                .formatted(
                        word,
                        count(status.getMountsCount(), "mount"),
                        count(running, "prefetch"),
                        count(errors, "error"),
                        status.getHeld() ? "" : ", mounts have no holder",
                        status.getDaemon().getVersion(),
                        status.getKernel(),
                        Shown.yesNo(status.getPassthrough()),
                        Shown.yesNo(status.getResend()));
    }

    private static String count(long n, String what) {
        return n + " " + what + (n == 1 ? "" : what.endsWith("ch") ? "es" : "s");
    }

    private Table mounts() {
        Table table = new Table()
                .column("MOUNT")
                .column("SNAPSHOT")
                .number("GiB")
                .number("HERE")
                .number("READERS")
                .column("MODE")
                .column("TIER")
                .number("USED GiB")
                .number("ROOM GiB")
                .column("ORIGIN")
                .wide("READ GiB")
                .wide("SOURCE");
        for (MountInfo m : status.getMountsList()) {
            Optional<TierInfo> tier = status.getTiersList().stream()
                    .filter(t -> t.getName().equals(m.getTier()))
                    .findFirst();
            table.row(
                    m.getMountPoint(),
                    Shown.shortDigest(m.getSnapshot().getDigest()),
                    Units.gib(m.getSnapshot().getBytes()),
                    Units.gib(m.getSnapshot().getHereBytes()),
                    m.getReaders(),
                    m.getMode(),
                    m.getTier(),
                    tier.map(t -> Units.gib(t.getUsedBytes())).orElse("-"),
                    tier.map(t -> Units.gib(t.getRoomBytes())).orElse("-"),
                    origin(m.getSnapshot().getSource()),
                    Units.gib(m.getReadBytes()),
                    m.getSnapshot().getSource());
        }
        return table;
    }

    private String origin(String source) {
        return status.getOriginsList().stream()
                .filter(o -> source.startsWith(withoutServer(o.getOrigin())) || status.getOriginsCount() == 1)
                .findFirst()
                .map(o -> scheme(source)
                        + (o.getOk() ? " ok" : " " + o.getLastError().getCode())
                        + (o.getLatencyNanos() == 0 ? "" : " " + Math.round(o.getLatencyNanos() / 1e6) + " ms"))
                .orElse("-");
    }

    /** {@code s3://bucket} of {@code s3://bucket@host}. */
    private static String withoutServer(String origin) {
        int at = origin.lastIndexOf('@');
        return at < 0 ? origin : origin.substring(0, at);
    }

    private static String scheme(String source) {
        int colon = source.indexOf(':');
        return colon < 0 ? source : source.substring(0, colon);
    }

    private Table prefetches() {
        Table table = new Table()
                .column("PREFETCH")
                .column("STATE")
                .number("DONE")
                .number("OF GiB")
                .number("GiB/s")
                .column("ETA")
                .wide("ID")
                .wide("RETRIES");
        for (PrefetchJob j : status.getPrefetchesList()) {
            boolean running = j.getState() == PrefetchJob.State.RUNNING;
            long left = j.getPlannedBytes() - j.getDoneBytes();
            table.row(
                    Shown.name(j.getSnapshot()),
                    Shown.state(j),
                    Units.percent(j.getDoneBytes(), j.getPlannedBytes()) + "%",
                    Units.gib(j.getPlannedBytes()),
                    Units.gib(running ? j.getBytesPerSecond() : 0),
                    running && j.getBytesPerSecond() > 0
                            ? Units.brief(Duration.ofSeconds(Math.ceilDiv(left, j.getBytesPerSecond())))
                            : "-",
                    j.getId(),
                    j.getRetries());
        }
        return table;
    }

    private Table tiers() {
        Table table = new Table()
                .column("TIER")
                .number("USED GiB")
                .number("QUOTA GiB")
                .number("ROOM GiB")
                .column("DIRECTORY");
        status.getTiersList()
                .forEach(t -> table.row(
                        t.getName(),
                        Units.gib(t.getUsedBytes()),
                        Units.gib(t.getQuotaBytes()),
                        Units.gib(t.getRoomBytes()),
                        t.getDirectory()));
        return table;
    }

    private static List<String> failing(TierInfo tier) {
        return List.of(
                ErrorCode.CACHE_IO.code() + "  tier " + tier.getName() + " gets no more writes: " + tier.getFailure(),
                "    next  check the disk of " + tier.getDirectory()
                        + "; what it cannot keep is read from the origin meanwhile");
    }

    private List<String> error(ErrorInfo e) {
        String times = e.getCount() > 1 ? " x" + e.getCount() : "";
        String first = Shown.ago(e.getTime(), now) + "  " + e.getCode() + times + "  " + e.getMessage();
        return e.getRemedy().isEmpty() ? List.of(first) : List.of(first, "    next  " + e.getRemedy());
    }
}
