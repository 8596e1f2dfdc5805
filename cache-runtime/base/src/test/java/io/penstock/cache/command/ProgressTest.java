package io.penstock.cache.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProgressTest {
    private static final long GIB = 1L << 30;
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private long nanos;

    private Progress progress(boolean terminal) {
        return new Progress(
                "prefetch",
                "llama-70b",
                new PrintStream(err, true, StandardCharsets.UTF_8),
                false,
                terminal,
                () -> nanos);
    }

    private static ProgressState at(long gib) {
        return new ProgressState(gib * GIB, 100 * GIB, gib * GIB, -1, gib / 10, 10, 0, Duration.ZERO, "");
    }

    private List<String> lines() {
        return err.toString(StandardCharsets.UTF_8).lines().toList();
    }

    @Test
    void withoutATerminalALineEveryTenSecondsOrFivePercent() {
        Progress progress = progress(false);
        for (int second = 0; second <= 40; second++) {
            nanos = second * 1_000_000_000L;
            progress.update(at(second < 20 ? 0 : second - 20));
        }
        progress.finish(at(100));
        assertThat(lines()).hasSize(8); // 0, 10, 20 s, then 5, 10, 15, 20 %, and the end
        assertThat(lines().getLast())
                .matches("\\d\\d:\\d\\d:\\d\\d prefetch llama-70b 100.0/100.0 GiB 100% .*files=10/10");
        assertThat(lines().get(4)).contains("10.0/100.0 GiB 10% 1.0 GiB/s eta=1m30s origin=10.0 files=1/10");
    }

    @Test
    void aStallIsSaid() {
        Progress progress = progress(false);
        progress.update(new ProgressState(0, GIB, 0, 0, 0, 1, 2, Duration.ofSeconds(10), "s3://models"));
        assertThat(lines().getFirst())
                .endsWith(
                        "0.0/1.0 GiB 0% 0.0 GiB/s stalled=10s waiting-for=s3://models origin=0.0 peers=0.0 files=0/1 retries=2");
    }

    @Test
    void onATerminalAtMostFourTimesASecond() {
        Progress progress = progress(true);
        for (int tick = 0; tick < 100; tick++) {
            nanos = tick * 10_000_000L;
            progress.update(at(tick));
        }
        progress.close();
        String text = err.toString(StandardCharsets.UTF_8);
        assertThat(text.split("\r", -1)).hasSize(5);
        assertThat(text)
                .contains("llama-70b   25% ▕████            ▏ 25.0/100.0 GiB")
                .endsWith("\n");
    }

    @Test
    void percentNeverFallsAndHundredMeansAll() {
        Progress progress = progress(true);
        progress.update(at(40));
        nanos = 1_000_000_000L;
        progress.update(at(30));
        assertThat(err.toString(StandardCharsets.UTF_8)).contains(" 40% ").doesNotContain(" 30% ");
        assertThat(Units.percent(Long.MAX_VALUE - 1, Long.MAX_VALUE)).isEqualTo(99);
        assertThat(Units.percent(0, 0)).isEqualTo(100);
        assertThat(Units.percent(29, 100)).isEqualTo(29);
    }

    @Test
    void theEndIsShownEvenWhenThePercentageWasThereAlready() {
        Progress progress = progress(false);
        progress.update(new ProgressState(GIB, GIB, -1, -1, 0, 3, 0, Duration.ZERO, ""));
        ProgressState end = new ProgressState(GIB, GIB, -1, -1, 3, 3, 0, Duration.ZERO, "");
        progress.update(end);
        assertThat(lines()).hasSize(1);
        progress.finish(end);
        assertThat(lines()).hasSize(2).last().asString().endsWith("files=3/3");
        progress.finish(end);
        assertThat(lines()).hasSize(2);
    }

    @Test
    void unitsAreGibibytes() {
        assertThat(Units.size(1314 * GIB / 10)).isEqualTo("131.4 GiB");
        assertThat(Units.size(12288 * GIB / 10)).isEqualTo("1.2 TiB");
        assertThat(Units.gib(GIB / 4)).isEqualTo("0.25");
        assertThat(Units.gib(0)).isEqualTo("0.0");
        assertThat(Units.size(100)).isEqualTo("<0.0001 GiB");
        assertThat(Units.gib(30_000_000)).isEqualTo("0.0279");
        assertThat(Units.brief(Duration.ofSeconds(200))).isEqualTo("3m20s");
        assertThat(Units.ago(Duration.ofDays(3))).isEqualTo("3d ago");
    }
}
