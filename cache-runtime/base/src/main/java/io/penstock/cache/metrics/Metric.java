package io.penstock.cache.metrics;

import java.util.List;

/**
 * One metric: its name never changes its meaning.
 *
 * @param name as it is exposed, {@code _total} included; of histograms and summaries, without {@code _bucket}, {@code _sum}, {@code _count}
 * @param labels their names, in the order of their values
 * @param help one sentence, without full stop; says the unit where the name does not
 */
public record Metric(String name, Kind kind, Stability stability, List<String> labels, String help) {
    /** What its numbers do. */
    public enum Kind {
        COUNTER,
        GAUGE,
        HISTOGRAM,
        /** Sum and count, without buckets. */
        SUMMARY
    }

    /** Whether dashboards may be built on it. */
    public enum Stability {
        /** Name, labels and unit stay. */
        STABLE,
        /** May change or go with a release. */
        EXPERIMENTAL,
        /** Another project's: its name and meaning are theirs. */
        FOREIGN
    }

    public Metric {
        labels = List.copyOf(labels);
        if (!name.matches("[a-z][a-z0-9_]*") || (kind == Kind.COUNTER) != name.endsWith("_total")) {
            throw new IllegalArgumentException(name);
        }
    }

    public static Metric counter(String name, String help, String... labels) {
        return new Metric(name, Kind.COUNTER, Stability.STABLE, List.of(labels), help);
    }

    public static Metric gauge(String name, String help, String... labels) {
        return new Metric(name, Kind.GAUGE, Stability.STABLE, List.of(labels), help);
    }

    public static Metric histogram(String name, String help, String... labels) {
        return new Metric(name, Kind.HISTOGRAM, Stability.STABLE, List.of(labels), help);
    }

    public static Metric summary(String name, String help, String... labels) {
        return new Metric(name, Kind.SUMMARY, Stability.STABLE, List.of(labels), help);
    }

    public Metric experimental() {
        return new Metric(name, kind, Stability.EXPERIMENTAL, labels, help);
    }

    public Metric foreign() {
        return new Metric(name, kind, Stability.FOREIGN, labels, help);
    }

    /** The names by which a query finds it. */
    public List<String> series() {
        return switch (kind) {
            case COUNTER, GAUGE -> List.of(name);
            case HISTOGRAM -> List.of(name + "_bucket", name + "_sum", name + "_count");
            case SUMMARY -> List.of(name + "_sum", name + "_count");
        };
    }
}
