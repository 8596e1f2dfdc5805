package io.penstock.bench.demo;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** Runs drawn as text under one time scale: what began when, and how long it took. */
final class Waterfall {
    private static final int WIDTH = 60;
    private static final int MOST_SHARDS = 8;

    private Waterfall() {}

    static List<String> lines(List<Run> runs) {
        double longest = runs.stream().mapToDouble(Run::end).max().orElse(1);
        List<String> lines = new ArrayList<>();
        for (Run run : runs) {
            lines.add(run.name() + ": " + run.how());
            List<Run.Span> spans = new ArrayList<>(thinned(run.spans()));
            spans.add(new Run.Span("first byte", run.firstByte(), run.firstByte()));
            spans.add(new Run.Span("first tensor", run.firstTensor(), run.firstTensor()));
            spans.sort(Comparator.comparingDouble(Run.Span::begin));
            spans.add(new Run.Span("end", run.end(), run.end()));
            int label = spans.stream().mapToInt(s -> s.name().length()).max().orElse(0);
            for (Run.Span span : spans) {
                lines.add(line(span, label, longest));
            }
            lines.add("");
        }
        return lines;
    }

    /** Leaves out shards in the middle when there are many. */
    private static List<Run.Span> thinned(List<Run.Span> spans) {
        int surplus = spans.size() - MOST_SHARDS;
        if (surplus <= 1) {
            return spans;
        }
        List<Run.Span> kept = new ArrayList<>(spans.subList(0, MOST_SHARDS / 2));
        Run.Span from = spans.get(MOST_SHARDS / 2);
        int resume = MOST_SHARDS / 2 + surplus;
        kept.add(new Run.Span(
                "(" + surplus + " more)", from.begin(), spans.get(resume - 1).end()));
        kept.addAll(spans.subList(resume, spans.size()));
        return kept;
    }

    private static String line(Run.Span span, int label, double longest) {
        int from = (int) Math.min(WIDTH - 1, span.begin() / longest * WIDTH);
        int to = (int) Math.min(WIDTH, Math.round(span.end() / longest * WIDTH));
        String bar = span.end() > span.begin() ? "█".repeat(Math.max(1, to - from)) : "▏";
        return String.format(
                Locale.ROOT,
                "  %-" + label + "s %6.2f %6.2f  %s%s",
                span.name(),
                span.begin(),
                span.end(),
                " ".repeat(from),
                bar);
    }
}
