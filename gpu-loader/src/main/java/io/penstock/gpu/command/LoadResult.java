package io.penstock.gpu.command;

import io.penstock.cache.command.Table;
import io.penstock.cache.command.Units;
import io.penstock.gpu.pipeline.Stages;
import io.penstock.gpu.service.Model;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What a load did, for people and for programs. */
record LoadResult(
        String device,
        long tensors,
        long bytes,
        double seconds,
        List<Stages.Measured> stages,
        long stagingPeak,
        String digest,
        long compared,
        List<String> wrong,
        List<String> notes) {
    private static final int WIDTH = 40;

    static LoadResult of(Model model, String device, Stages stages, long stagingPeak, Digests digests) {
        return new LoadResult(
                device,
                model.tensors().size(),
                model.bytes(),
                stages.elapsed(),
                stages.measured(),
                stagingPeak,
                digests == null ? "" : digests.all(),
                digests == null ? 0 : digests.compared(),
                digests == null ? List.of() : digests.wrong(),
                model.notes());
    }

    Map<String, Object> fields() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("device", device);
        fields.put("tensors", tensors);
        fields.put("bytes", bytes);
        fields.put("seconds", seconds);
        fields.put("bytesPerSecond", seconds > 0 ? Math.round(bytes / seconds) : 0);
        List<Object> waterfall = new ArrayList<>();
        for (Stages.Measured m : stages) {
            Map<String, Object> stage = new LinkedHashMap<>();
            stage.put("stage", name(m));
            stage.put("begin", m.begin());
            stage.put("end", m.end());
            stage.put("busy", m.busy());
            stage.put("bytes", m.bytes());
            stage.put("bytesPerSecond", Math.round(m.rate()));
            waterfall.add(stage);
        }
        fields.put("stages", waterfall);
        fields.put("stagingPeakBytes", stagingPeak);
        fields.put("digest", digest);
        fields.put("compared", compared);
        fields.put("wrong", wrong);
        fields.put("notes", notes);
        return fields;
    }

    List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add("device: " + device);
        notes.forEach(n -> lines.add("note: " + n));
        lines.add(String.format(
                Locale.ROOT,
                "loaded  %d tensors  %s in %.2f s  %.2f GB/s",
                tensors,
                Units.size(bytes),
                seconds,
                bytes / 1e9 / Math.max(seconds, 1e-9)));
        Table table = new Table()
                .column("STAGE")
                .number("FROM")
                .number("TO")
                .number("GB/S")
                .number("BUSY")
                .column("");
        for (Stages.Measured m : stages) {
            table.row(
                    name(m),
                    String.format(Locale.ROOT, "%.3f s", m.begin()),
                    String.format(Locale.ROOT, "%.3f s", m.end()),
                    m.bytes() == 0 ? "-" : String.format(Locale.ROOT, "%.2f", m.rate() / 1e9),
                    String.format(Locale.ROOT, "%.3f s", m.busy()),
                    bar(m));
        }
        lines.addAll(table.lines(false));
        if (stagingPeak > 0) {
            lines.add("staging: " + Units.size(stagingPeak) + " at most");
        }
        if (!digest.isEmpty()) {
            lines.add("digest  " + digest);
        }
        if (compared > 0) {
            lines.add("verified  " + compared + " of " + tensors + " tensors, " + wrong.size() + " wrong");
        }
        wrong.forEach(w -> lines.add("wrong  " + w));
        return lines;
    }

    /** When the stage ran, on the time line of the whole load. */
    private String bar(Stages.Measured m) {
        int from = Math.clamp(Math.round(m.begin() / seconds * WIDTH), 0, WIDTH - 1);
        int to = Math.clamp(Math.round(m.end() / seconds * WIDTH), from + 1, WIDTH);
        return " ".repeat(from) + "█".repeat(to - from);
    }

    private static String name(Stages.Measured m) {
        return m.stage().name().toLowerCase(Locale.ROOT);
    }
}
