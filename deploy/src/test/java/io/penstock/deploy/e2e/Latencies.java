package io.penstock.deploy.e2e;

import io.penstock.deploy.Manifests;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How long the kubelet waited for NodePublishVolume: its histogram, upper bound in seconds to calls so far. */
record Latencies(Map<Double, Long> buckets, double sum) {
    private static final String METRIC = "csi_operations_seconds";
    private static final Pattern BOUND = Pattern.compile("le=\"([^\"]+)\"");

    static Latencies ofKubelet(Cluster cluster, String node) {
        Map<Double, Long> buckets = new TreeMap<>();
        double sum = 0;
        String metrics = cluster.client().raw("/api/v1/nodes/" + node + "/proxy/metrics");
        for (String line : metrics.lines().toList()) {
            if (!line.startsWith(METRIC)
                    || !line.contains('"' + Manifests.DRIVER + '"')
                    || !line.contains("NodePublishVolume")) {
                continue;
            }
            double value = Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1));
            if (line.startsWith(METRIC + "_sum")) {
                sum += value;
            } else if (line.startsWith(METRIC + "_bucket")) {
                Matcher bound = BOUND.matcher(line);
                if (bound.find()) {
                    double le = bound.group(1).equals("+Inf")
                            ? Double.POSITIVE_INFINITY
                            : Double.parseDouble(bound.group(1));
                    buckets.merge(le, (long) value, Long::sum);
                }
            }
        }
        return new Latencies(buckets, sum);
    }

    Latencies since(Latencies before) {
        Map<Double, Long> taken = new TreeMap<>(buckets);
        before.buckets.forEach((bound, count) -> taken.merge(bound, -count, Long::sum));
        return new Latencies(taken, sum - before.sum);
    }

    long count() {
        return buckets.getOrDefault(Double.POSITIVE_INFINITY, 0L);
    }

    /** The bucket's upper bound that holds this share of the calls, in seconds. */
    double atMost(double share) {
        return buckets.entrySet().stream()
                .filter(e -> e.getValue() >= share * count())
                .mapToDouble(Map.Entry::getKey)
                .findFirst()
                .orElse(Double.POSITIVE_INFINITY);
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%d calls, mean %.3f s, half of them at most %s s, 95 %% at most %s s",
                count(),
                sum / Math.max(1, count()),
                atMost(0.5),
                atMost(0.95));
    }
}
