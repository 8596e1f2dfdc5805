package io.penstock.bench.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class WaterfallTest {
    @Test
    void barsOfAllRunsShareOneScale() {
        Run slow = new Run("slow", "as is", List.of(new Run.Span("a", 0, 10)), List.of(), 0, 0, 10, 1, 1, 1, 1);
        Run fast = new Run("fast", "better", List.of(new Run.Span("a", 0, 2.5)), List.of(), 0, 0, 2.5, 1, 1, 1, 1);
        List<String> lines = Waterfall.lines(List.of(slow, fast));
        assertThat(lines.stream().filter(l -> l.contains("█")).map(WaterfallTest::bar))
                .containsExactly(60L, 15L);
        assertThat(lines).anyMatch(l -> l.startsWith("fast: better"));
    }

    @Test
    void manyShardsAreThinned() {
        List<Run.Span> spans = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            spans.add(new Run.Span("shard-" + i, i, i + 1));
        }
        Run run = new Run("r", "h", spans, List.of(), 0, 0, 40, 1, 1, 1, 1);
        assertThat(Waterfall.lines(List.of(run)))
                .anyMatch(l -> l.contains("(32 more)"))
                .anyMatch(l -> l.contains("shard-39"))
                .hasSizeLessThan(16);
    }

    private static long bar(String line) {
        return line.chars().filter(c -> c == '█').count();
    }
}
