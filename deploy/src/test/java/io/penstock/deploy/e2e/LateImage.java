package io.penstock.deploy.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** A pod whose image takes ten seconds to come: meanwhile its model comes too. */
final class LateImage {
    private static final long IMAGE_SECONDS = 10;
    private static final String NAME = "localhost/penstock/late:";
    private static final String PLACE = "00000000";
    private static final int END = 64 << 10;

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

    static Timeline run(Suite suite) throws IOException, InterruptedException {
        String tag = suite.namespace.substring(suite.namespace.lastIndexOf('-') + 1) + "00";
        Path late = tagged(tag);
        long made = System.nanoTime();
        ReaderPod pod = ReaderPod.start(
                suite.cluster,
                suite.namespace,
                suite.node,
                "late",
                NAME + tag,
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
        Files.delete(late);
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

    /** The archive with an image that no node has: its name is text near the archive's end. */
    private static Path tagged(String tag) throws IOException {
        Path copy = Files.createTempFile("late", ".tar");
        Files.copy(Settings.lateTar(), copy, StandardCopyOption.REPLACE_EXISTING);
        try (FileChannel file = FileChannel.open(copy, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer end = ByteBuffer.allocate(END);
            long start = file.size() - END;
            int ignored = file.read(end, start);
            int name = new String(end.array(), StandardCharsets.ISO_8859_1).indexOf(NAME + PLACE);
            if (name < 0) {
                throw new AssertionError(Settings.lateTar() + " does not name " + NAME + PLACE);
            }
            ignored = file.write(ByteBuffer.wrap((NAME + tag).getBytes(StandardCharsets.ISO_8859_1)), start + name);
        }
        return copy;
    }

    /** Bytes of the big model that the node has; of the snapshot that it has most of, as earlier servers had others. */
    private static long stored(Suite suite) {
        long most = 0;
        for (JsonNode snapshot :
                Cluster.json(suite.plugin.penstock("ls", "-o", "json")).path("items")) {
            if (snapshot.path("source").asText().equals(ModelStore.BIG_MODEL)) {
                most = Math.max(most, snapshot.path("hereBytes").asLong());
            }
        }
        return most;
    }

    private static double since(long nanos) {
        return (System.nanoTime() - nanos) / 1e9;
    }
}
