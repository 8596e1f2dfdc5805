package io.penstock.cli.node;

import io.penstock.cache.command.Units;
import io.penstock.cache.control.v1.ErrorInfo;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.control.v1.SnapshotInfo;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** Messages of the control API as tables and documents show them. */
final class Shown {
    private static final String SHA = "sha256:";
    private static final int SHORT = 6;

    private Shown() {}

    /** Enough of a digest to tell snapshots apart. */
    static String shortDigest(String digest) {
        String hex = digest.startsWith(SHA) ? digest.substring(SHA.length()) : digest;
        return hex.substring(0, Math.min(SHORT, hex.length()));
    }

    static String herePercent(SnapshotInfo snapshot) {
        return Units.percent(snapshot.getHereBytes(), snapshot.getBytes()) + "%";
    }

    static Instant instant(long nanos) {
        return Instant.ofEpochSecond(nanos / 1_000_000_000, nanos % 1_000_000_000);
    }

    /** Since when, as in {@code 3d ago}; {@code -} for never. */
    static String ago(long nanos, Instant now) {
        return nanos == 0 ? "-" : Units.ago(Duration.between(instant(nanos), now));
    }

    static String yesNo(boolean value) {
        return value ? "yes" : "no";
    }

    /** A location's last part: what people call the model. */
    static String name(SnapshotInfo snapshot) {
        String source = snapshot.getSource();
        String path = source.endsWith("/") ? source.substring(0, source.length() - 1) : source;
        String last = path.substring(path.lastIndexOf('/') + 1);
        return last.isEmpty() ? shortDigest(snapshot.getDigest()) : last;
    }

    static String state(PrefetchJob job) {
        return job.getState().name().toLowerCase(Locale.ROOT);
    }

    static Map<String, Object> fields(SnapshotInfo s) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("digest", s.getDigest());
        fields.put("source", s.getSource());
        fields.put("objects", s.getObjects());
        fields.put("completeObjects", s.getCompleteObjects());
        fields.put("bytes", s.getBytes());
        fields.put("hereBytes", s.getHereBytes());
        fields.put("pinned", s.getPinned());
        fields.put("mounted", s.getMounted());
        fields.put("lastUsed", s.getLastUsed() == 0 ? null : instant(s.getLastUsed()));
        fields.put("resolved", s.getResolved() == 0 ? null : instant(s.getResolved()));
        return fields;
    }

    static Map<String, Object> fields(PrefetchJob job) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("id", job.getId());
        fields.put("snapshot", job.getSnapshot().getDigest());
        fields.put("source", job.getSnapshot().getSource());
        fields.put("state", state(job));
        fields.put("plannedBytes", job.getPlannedBytes());
        fields.put("doneBytes", job.getDoneBytes());
        fields.put("originBytes", job.getOriginBytes());
        fields.put("peerBytes", job.getPeerBytes());
        fields.put("bytesPerSecond", job.getBytesPerSecond());
        fields.put("objects", job.getObjects());
        fields.put("completeObjects", job.getCompleteObjects());
        fields.put("retries", job.getRetries());
        fields.put("stalledSeconds", job.getStalledNanos() / 1e9);
        fields.put("error", job.hasError() ? fields(job.getError()) : null);
        return fields;
    }

    static Map<String, Object> fields(ErrorInfo error) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("code", error.getCode());
        fields.put("message", error.getMessage());
        fields.put("remedy", error.getRemedy());
        fields.put("retryable", error.getRetryable());
        fields.put("time", instant(error.getTime()));
        fields.put("count", error.getCount());
        return fields;
    }
}
