package io.penstock.deploy.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** A pod whose image takes ten seconds to come: meanwhile its model comes too. */
final class LateImage {
    private static final long IMAGE_SECONDS = 10;

    private LateImage() {}

    /** Seconds since the pod was made. */
    record Timeline(
            double mounted, double imageThere, long bytesWhenImageCame, double running, double firstByte, double read) {
        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "time line of a pod whose image is late, s: pod made 0.0 | volume mounted %.1f | image there %.1f,"
                            + " with %.2f GiB of the model | pod running %.1f | first byte read %.1f | 1 GiB read %.1f",
                    mounted,
                    imageThere,
                    bytesWhenImageCame / (double) (1L << 30),
                    running,
                    firstByte,
                    read);
        }
    }

    static Timeline run(Suite suite) throws InterruptedException {
        Path late = Settings.lateTar();
        long made = System.nanoTime();
        ReaderPod pod = ReaderPod.start(
                suite.cluster,
                suite.namespace,
                suite.node,
                "late",
                Settings.LATE_IMAGE,
                Volumes.inline(suite.store.bigModel("access", "fuse", "anonymous", "true")),
                "read",
                ReaderPod.MODEL,
                Long.toString(ModelStore.BIG_BYTES));
        String volumes = "/pods/" + pod.uid() + "/volumes/kubernetes.io~csi/";
        suite.cluster.until(
                "the volume is mounted", 60, () -> !suite.agent.mounts(volumes).isEmpty());
        double mounted = since(made);
        TimeUnit.NANOSECONDS.sleep(TimeUnit.SECONDS.toNanos(IMAGE_SECONDS) - (System.nanoTime() - made));
        Cluster.load(List.of(late));
        double image = since(made);
        long here = stored(suite);
        pod.awaitRunning(60);
        double running = since(made);
        JsonNode read = pod.result("bytes", 120);
        double done = since(made);
        pod.delete();
        pod.awaitGone(60);
        return new Timeline(
                mounted, image, here, running, running + read.get("first_byte").asDouble(), done);
    }

    /** Bytes of the big model that the node has. */
    private static long stored(Suite suite) {
        for (JsonNode snapshot :
                Cluster.json(suite.plugin.penstock("ls", "-o", "json")).path("items")) {
            if (snapshot.path("source").asText().equals(ModelStore.BIG_MODEL)) {
                return snapshot.path("hereBytes").asLong();
            }
        }
        return 0;
    }

    private static double since(long nanos) {
        return (System.nanoTime() - nanos) / 1e9;
    }
}
