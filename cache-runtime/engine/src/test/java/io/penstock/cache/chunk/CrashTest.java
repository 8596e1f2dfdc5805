package io.penstock.cache.chunk;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kills a process in the middle of its writes: what it said was written is there afterwards, and nothing is wrong. */
class CrashTest {
    private static final Pattern WROTE = Pattern.compile("wrote (\\d+) (\\d+)");

    @TempDir
    Path directory;

    @Test
    void killedProcessLosesNothingItWrote() throws Exception {
        run(15, 1L << 30);
    }

    @Test
    void killedProcessThatEvictsLeavesNothingWrong() throws Exception {
        run(6, 90L * CrashChild.CHUNK);
    }

    @Test
    @Tag("long")
    void manyKilledProcessesLoseNothingTheyWrote() throws Exception {
        run(Seed.scaled(800), 1L << 30);
    }

    @Test
    @Tag("long")
    void manyKilledProcessesThatEvictLeaveNothingWrong() throws Exception {
        run(Seed.scaled(200), 90L * CrashChild.CHUNK);
    }

    private void run(int kills, long quota) throws Exception {
        Random random = new Random(Seed.next("CrashTest"));
        boolean evicts = quota < 1L << 30;
        int first = 0;
        long chunks = 0;
        for (int i = 0; i < kills; i++) {
            boolean[][] said = killOne(quota, random, first);
            boolean whole = true;
            try (DiskChunkStore store = DiskChunkStore.open(CrashChild.options(directory, quota))) {
                for (int number = first; number < first + CrashChild.OBJECTS; number++) {
                    Blob blob = CrashChild.blob(number);
                    try (StoredObject object = store.open(blob.id)) {
                        for (int chunk = 0; chunk < blob.chunks(); chunk++) {
                            if (object.has(chunk)) {
                                assertThat(blob.matches(object, chunk)).isTrue();
                                chunks++;
                            } else {
                                whole = false;
                                assertThat(said[number - first][chunk] && !evicts)
                                        .as("chunk %d of %s was written and is lost", chunk, blob.id)
                                        .isFalse();
                            }
                        }
                    }
                }
            }
            boolean next = whole || (evicts && i % 3 == 2);
            first += next ? CrashChild.OBJECTS : 0;
        }
        System.out.println(kills + " kills, " + chunks + " chunks compared");
        assertThat(chunks).isPositive();
    }

    private boolean[][] killOne(long quota, Random random, int first) throws Exception {
        Process child = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-Xmx128m",
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        CrashChild.class.getName(),
                        directory.toString(),
                        Long.toString(quota),
                        Long.toString(random.nextLong()),
                        Integer.toString(first))
                .redirectError(Files.createTempFile(directory, "child", ".err").toFile())
                .start();
        boolean[][] said = new boolean[CrashChild.OBJECTS]
                [CrashChild.blob(first + CrashChild.OBJECTS).chunks()];
        try (BufferedReader out = child.inputReader(UTF_8)) {
            int lines = 1 + random.nextInt(60);
            for (int i = 0; i < lines; ) {
                String line = out.readLine();
                assertThat(line).as("what the child says").isNotNull();
                i += note(said, line, first) ? 1 : 0;
            }
            LockSupport.parkNanos(random.nextInt(3_000_000));
            child.toHandle().destroyForcibly(); // unlike Process.destroyForcibly, leaves what it said readable
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                note(said, line, first);
            }
        }
        assertThat(child.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return said;
    }

    /** Whether the line says that a chunk was written; others are of the log. */
    private static boolean note(boolean[][] said, String line, int first) {
        Matcher wrote = WROTE.matcher(line);
        if (!wrote.matches()) {
            return false;
        }
        said[Integer.parseInt(wrote.group(1)) - first][Integer.parseInt(wrote.group(2))] = true;
        return true;
    }
}
