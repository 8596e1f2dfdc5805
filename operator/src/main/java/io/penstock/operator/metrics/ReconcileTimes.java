package io.penstock.operator.metrics;

import io.javaoperatorsdk.operator.api.monitoring.Metrics;
import io.javaoperatorsdk.operator.api.reconciler.Constants;
import io.javaoperatorsdk.operator.processing.GroupVersionKind;

/** How long looks at objects take, and how they end. Thread-safe. */
final class ReconcileTimes implements Metrics {
    private static final double NANOS = 1e9;

    private final Sink sink;

    /** Takes what was measured. */
    @FunctionalInterface
    interface Sink {
        void took(String kind, String result, double seconds);
    }

    ReconcileTimes(Sink sink) {
        this.sink = sink;
    }

    @Override
    public <T> T timeControllerExecution(ControllerExecution<T> execution) throws Exception {
        String kind = execution.metadata().get(Constants.RESOURCE_GVK_KEY) instanceof GroupVersionKind gvk
                ? gvk.getKind()
                : execution.controllerName();
        String result = "failed";
        long began = System.nanoTime();
        try {
            T done = execution.execute();
            result = result(execution.successTypeName(done));
            return done;
        } finally {
            sink.took(kind, result, (System.nanoTime() - began) / NANOS);
        }
    }

    private static String result(String word) {
        return switch (word) {
            case "delete" -> "removed";
            case "finalizerNotRemoved" -> "waiting";
            case "resource", "status", "both" -> "changed";
            default -> "unchanged";
        };
    }
}
