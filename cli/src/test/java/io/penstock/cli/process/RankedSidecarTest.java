package io.penstock.cli.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.penstock.cache.command.Format;
import io.penstock.cache.command.Output;
import io.penstock.cache.command.Streams;
import io.penstock.cache.linux.Machine;
import io.penstock.cache.plan.rank.Layout;
import io.penstock.cache.runtime.TestInstallation;
import io.penstock.cli.Main;
import io.penstock.sidecar.Ranks;
import io.penstock.sidecar.Sidecar;
import io.penstock.sidecar.SidecarOptions;
import io.penstock.sidecar.Wait;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/** The real daemon and the real sidecar, with a model laid out as Qwen3-MoE is: what one stage of four needs. */
@Timeout(300)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class RankedSidecarTest {
    private static final String LAYOUT = "tp=1,pp=4";
    private TestInstallation place;

    @BeforeAll
    void start() throws Exception {
        assumeTrue(Machine.uid() == 0, "only root mounts without fusermount3");
        assumeTrue(Files.isWritable(Path.of("/dev/fuse")), "FUSE cannot be used here");
        place = TestInstallation.make()
                .commandsOf(Main.class.getName())
                .with("cache.chunk-size=1MiB", "control.guests=true");
        String model = place.model().toString();
        assertThat(place.run(
                        "checkpoint", "bench", "checkpoint", model, "--layout", "qwen3-30b-a3b", "--size", "600MiB"))
                .as(place.err("checkpoint"))
                .isZero();
        place.mount("m");
    }

    @AfterAll
    void stop() throws Exception {
        if (place != null) {
            place.close();
        }
    }

    private JsonNode json(String name, String... arguments) throws IOException, InterruptedException {
        assertThat(place.run(name, arguments)).as(place.err(name)).isZero();
        return new ObjectMapper().readTree(place.out(name));
    }

    private static byte[] bytes(Path file, long offset, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        try (FileChannel channel = FileChannel.open(file)) {
            while (bytes.hasRemaining() && channel.read(bytes, offset + bytes.position()) >= 0) {}
        }
        return bytes.array();
    }

    @Test
    void a_rank_is_complete_and_the_rest_is_not_fetched() throws Exception {
        String model = place.model().toString();
        JsonNode plan = json("plan", "load", "plan", model, "--layout", LAYOUT, "--rank", "1", "-o", "json");
        JsonNode dry = json(
                "dry", "prefetch", "file://" + model, "--layout", LAYOUT, "--rank", "1", "--dry-run", "-o", "json");
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        Thread sidecar = Thread.ofPlatform().start(() -> sidecar(said));
        try {
            await().atMost(TestInstallation.SOON)
                    .until(() -> Files.exists(place.base().resolve("status")));
        } finally {
            sidecar.interrupt();
            sidecar.join();
        }
        assertThat(place.base().resolve("status")).hasContent("prefetch_result=success");
        assertThat(said.toString(StandardCharsets.UTF_8))
                .contains("what its ranks need is here")
                .doesNotContain("alone");

        JsonNode here = json("ls", "ls", "-o", "json");
        System.out.println("PLAN " + plan.toPrettyString().substring(0, 600) + "\nDRY " + dry + "\nHERE " + here);
        Path elsewhere = Files.move(place.model(), place.base().resolve("moved"));
        for (Map.Entry<String, JsonNode> file : plan.path("files").properties()) {
            for (JsonNode range : file.getValue()) {
                long offset = range.path(0).asLong();
                int length = range.path(1).asInt();
                assertThat(bytes(place.point("m").resolve(file.getKey()), offset, length))
                        .isEqualTo(bytes(elsewhere.resolve(file.getKey()), offset, length));
            }
        }
    }

    private void sidecar(ByteArrayOutputStream said) {
        try {
            SidecarOptions options = new SidecarOptions(
                    place.point("m"),
                    place.state().guestSocket(),
                    new Wait.All(),
                    Optional.empty(),
                    false,
                    4,
                    "127.0.0.1:0",
                    Optional.of(new Ranks(Layout.parse(LAYOUT), List.of(1))),
                    place.base().resolve("status"));
            Streams streams = Streams.of(OutputStream.nullOutputStream(), said);
            new Sidecar(options, new Output(streams, Format.TABLE, false, false, false)).run();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
