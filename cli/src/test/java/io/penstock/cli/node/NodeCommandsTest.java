package io.penstock.cli.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.command.CommandEntry;
import io.penstock.cache.command.Commands;
import io.penstock.cache.command.Streams;
import io.penstock.cache.control.v1.ChangePrefetchRequest;
import io.penstock.cache.control.v1.CollectGarbageRequest;
import io.penstock.cache.control.v1.StartPrefetchRequest;
import io.penstock.cache.model.ErrorCode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class NodeCommandsTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private Path dir;
    private FakeDaemon daemon;

    @BeforeEach
    void start() throws IOException {
        dir = Files.createTempDirectory(Path.of("/tmp"), "pen"); // a socket's path must be short
        daemon = new FakeDaemon(dir);
    }

    @AfterEach
    void stop() throws Exception {
        daemon.close();
        try (Stream<Path> files = Files.walk(dir)) {
            for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }

    private int run(String name, String... args) {
        out.reset();
        err.reset();
        CommandEntry entry = new NodeCommands()
                .commands().stream()
                        .filter(e -> e.name().equals(name))
                        .findFirst()
                        .orElseThrow();
        String[] all = List.of(args).contains("--state-dir")
                ? args
                : Stream.concat(Stream.of("--state-dir", dir.toString()), Arrays.stream(args))
                        .toArray(String[]::new);
        return Commands.run(name, entry.maker().get(), Streams.of(out, err), all);
    }

    private String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private String err() {
        return err.toString(StandardCharsets.UTF_8);
    }

    /** Compares with the file; -Dpenstock.golden=write writes it instead. */
    private void isGolden(String name) throws IOException {
        Path file = Path.of("src/test/resources/golden", name);
        if ("write".equals(System.getProperty("penstock.golden"))) {
            Files.writeString(file, out());
        }
        assertThat(out()).as(name).isEqualTo(Files.readString(file));
    }

    @Test
    void statusSaysWhetherAllIsWellThenTheRest() {
        assertThat(run("status")).isZero();
        assertThat(out().lines())
                .startsWith(
                        "LOOK  1 mount, 1 prefetch running, 2 errors in 15 min   penstock 0.3.0  kernel 6.12 passthrough yes resend yes",
                        "MOUNT       SNAPSHOT    GiB  HERE  READERS  MODE   TIER  USED GiB  ROOM GiB  ORIGIN",
                        "/mnt/llama  9f319f    131.0  42.0        2  plain  nvme     812.0    1228.0  s3 ok 21 ms")
                .contains(
                        "PREFETCH   STATE    DONE  OF GiB  GiB/s  ETA", "llama-70b  running   32%   131.0    9.0  10s")
                .anyMatch(l -> l.contains("PEN-0406 x2  s3://models: 503 SlowDown"));
        assertThat(run("status", "-o", "name")).isZero();
        assertThat(out()).isEqualTo("/mnt/llama\n");
        assertThat(run("status", "-o", "wide")).isZero();
        assertThat(out()).contains("TIER  USED GiB  QUOTA GiB", "memory 0.50 GiB of 1.0 GiB reserved");
    }

    @Test
    void documentsKeepTheirShape() throws IOException {
        assertThat(run("status", "-o", "json")).isZero();
        isGolden("status.json");
        assertThat(run("ls", "-o", "json")).isZero();
        isGolden("ls.json");
        assertThat(run("prefetch", "s3://models/llama-70b", "--dry-run", "-o", "json"))
                .isZero();
        isGolden("prefetch-plan.json");
        assertThat(run("prefetch", "s3://models/llama-70b", "-o", "json")).isZero();
        isGolden("prefetch.json");
        assertThat(run("rm", "41aa", "-o", "json")).isZero();
        isGolden("rm.json");
        assertThat(run("gc", "--dry-run", "-o", "json")).isZero();
        isGolden("gc.json");
        assertThat(run("verify", "-o", "json")).isZero();
        isGolden("verify.json");
    }

    @Test
    void listsWhatTheFilterLetsThrough() {
        assertThat(run("ls")).isZero();
        assertThat(out().lines().toList().getFirst())
                .matches("SNAPSHOT  SOURCE                   GiB  HERE  USED +PINNED");
        assertThat(out().lines()).hasSize(3);
        assertThat(run("ls", "-o", "name", "--filter", "size>100GiB")).isZero();
        assertThat(out()).isEqualTo(FakeDaemon.LLAMA.getDigest() + "\n");
        assertThat(run("ls", "-o", "name", "--filter", "here=100%, pinned=yes,source~qwen,used>1h"))
                .isZero();
        assertThat(out()).isEqualTo(FakeDaemon.QWEN.getDigest() + "\n");
        assertThat(run("ls", "-o", "name", "--filter", "here<10GiB")).isZero();
        assertThat(out()).isEmpty();
        for (String bad : new String[] {"size>big", "colour=red", "pinned>yes", "size"}) {
            assertThat(run("ls", "--filter", bad)).isEqualTo(ErrorCode.Exit.USAGE);
            assertThat(err()).contains("the filter '" + bad + "' cannot be read", "size>10GiB, here<100%,");
        }
    }

    @Test
    void removesButNotWhatIsMounted() {
        assertThat(run("rm", "41aa")).isZero();
        assertThat(out()).isEqualTo("removed  snapshot 41aa41  s3://m/qwen  30 objects  freed 61.0 GiB\n");
        assertThat(run("rm", "41aa", "--dry-run")).isZero();
        assertThat(out()).startsWith("would remove  snapshot 41aa41");
        assertThat(run("rm", "41aa", "9f31")).isEqualTo(ErrorCode.Exit.FAILED);
        assertThat(out()).startsWith("removed  snapshot 41aa41");
        assertThat(err()).contains("PEN-0306", "mounted on /mnt/llama", "penstock unmount /mnt/llama");
    }

    @Test
    void garbageIsNamedBeforeItGoes() {
        assertThat(run("gc", "--dry-run")).isZero();
        assertThat(out()).contains("s3://m/old/model.safetensors  3.0", "would free 3.0 GiB in 1 objects");
        assertThat(run("gc")).isEqualTo(ErrorCode.Exit.USAGE);
        assertThat(err()).contains("no terminal to ask on");
        assertThat(daemon.asked).allMatch(r -> ((CollectGarbageRequest) r).getDryRun());
        assertThat(run("gc", "--yes", "--target", "10GiB")).isZero();
        assertThat(out()).isEqualTo("freed 3.0 GiB in 1 objects\n");
        CollectGarbageRequest last = (CollectGarbageRequest) daemon.asked.getLast();
        assertThat(last.getDryRun()).isFalse();
        assertThat(last.getTargetUsedBytes()).isEqualTo(10 * FakeDaemon.GIB);
    }

    @Test
    void verifyFailsWhenBytesAreBad() {
        assertThat(run("verify")).isZero();
        assertThat(out()).isEqualTo("verified  30 objects  131.0 GiB  0 bad chunks\n");
        assertThat(err())
                .contains("verify all 60.0/131.0 GiB 45%", "131.0/131.0 GiB 100%")
                .doesNotContain("origin");
        daemon.badChunks = 2;
        assertThat(run("verify", "9f31")).isEqualTo(ErrorCode.Exit.FAILED);
        assertThat(out()).contains("bad  s3://models/llama-70b/a.safetensors\n", "2 bad chunks, dropped");
    }

    @Test
    void prefetchShowsProgressAndEndsAsTheJobDoes() {
        assertThat(run("prefetch", "s3://models/llama-70b", "--bandwidth", "250MB/s", "--pin"))
                .isZero();
        assertThat(out()).isEqualTo("complete  prefetch p1  snapshot 9f319f  9/30 objects  131.0 GiB of 131.0 GiB\n");
        assertThat(err()).contains("prefetch llama-70b 42.0/131.0 GiB 32%", "131.0/131.0 GiB 100%");
        StartPrefetchRequest request = (StartPrefetchRequest) daemon.asked.getFirst();
        assertThat(request.getBandwidthBytesPerSecond()).isEqualTo(250_000_000);
        assertThat(request.getPin()).isTrue();
        assertThat(request.getPlan().getNamed()).isEqualTo("reading-order");
        assertThat(request.getSource().getLocation()).isEqualTo("s3://models/llama-70b");
        daemon.failPrefetch = true;
        assertThat(run("prefetch", "s3://models/llama-70b")).isEqualTo(ErrorCode.Exit.NO_ROOM);
        assertThat(err()).contains("PEN-0302", "the cache lacks 3.0 GiB", "Remove a snapshot.");
    }

    @Test
    void prefetchesCanBePlannedDetachedAndPaused() {
        assertThat(run("prefetch", "/mnt/llama", "--dry-run", "--glob", "*.json"))
                .isZero();
        assertThat(out()).isEqualTo("30 objects 131.0 GiB in 412 ranges; 42.0 GiB here, 89.0 GiB from origin\n");
        StartPrefetchRequest request = (StartPrefetchRequest) daemon.asked.getLast();
        assertThat(request.getSnapshot()).isEqualTo("/mnt/llama");
        assertThat(request.getPlan().getGlobs().getGlobsList()).containsExactly("*.json");
        assertThat(run("prefetch", "s3://models/llama-70b", "--detach")).isZero();
        assertThat(out()).startsWith("running  prefetch p1");
        assertThat(run("prefetch", "s3://models/llama-70b", "--pause")).isZero();
        assertThat(((ChangePrefetchRequest) daemon.asked.getLast()).getAction())
                .isEqualTo(ChangePrefetchRequest.Action.PAUSE);
        assertThat(run("prefetch", "s3://other", "--resume")).isEqualTo(ErrorCode.Exit.FAILED);
        assertThat(run("prefetch", "s3://other", "--order", "random")).isEqualTo(ErrorCode.Exit.USAGE);
    }

    @Test
    void withoutADaemonOneLineSaysSo() {
        assertThat(run("status", "--state-dir", "/tmp/there-is-none")).isEqualTo(ErrorCode.Exit.FAILED);
        assertThat(err().lines())
                .hasSize(1)
                .allMatch(l -> l.startsWith("PEN-0601  no daemon") && l.contains("penstock mount"));
        assertThat(run("ls", "--state-dir", "/tmp/there-is-none")).isEqualTo(ErrorCode.Exit.FAILED);
        assertThat(err()).contains("error PEN-0601");
    }
}
