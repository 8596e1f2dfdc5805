package io.penstock.cache.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DataSizeTest {
    @ParameterizedTest
    @CsvSource({
        "0,0",
        "4096,4096",
        "8MiB,8388608",
        "8Mi,8388608",
        "8 MiB,8388608",
        "1.5GiB,1610612736",
        "500MB,500000000",
        "1k,1000",
        "1KiB,1024",
        "2TiB,2199023255552",
        "7PiB,7881299347898368"
    })
    void readsSizes(String text, long bytes) {
        assertThat(DataSize.parse(text).bytes()).isEqualTo(bytes);
        assertThat(DataSize.parse(DataSize.parse(text).toString()).bytes()).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-1", "8 MB iB", "MiB", "1.5", "0.3KiB", "9999999PiB", "8m ib"})
    void refusesWhatIsNoSize(String text) {
        assertThatThrownBy(() -> DataSize.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void writesTheLargestUnitThatDivides() {
        assertThat(DataSize.ofMiB(1024)).hasToString("1GiB");
        assertThat(DataSize.ofMiB(1025)).hasToString("1025MiB");
        assertThat(new DataSize(1)).hasToString("1");
    }

    @Test
    void bandwidthsReadBack() {
        assertThat(Bandwidth.parse("250MB/s").bytesPerSecond()).isEqualTo(250_000_000);
        assertThat(Bandwidth.parse("1GiB/s")).hasToString("1GiB/s");
        assertThat(Bandwidth.parse("unlimited")).isEqualTo(Bandwidth.UNLIMITED).hasToString("unlimited");
        assertThatThrownBy(() -> Bandwidth.parse("fast")).hasMessageContaining("250MB/s");
        assertThatThrownBy(() -> Bandwidth.parse("0")).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @CsvSource({"500ms,500", "30s,30000", "1.5h,5400000", "2d,172800000", "0,0"})
    void durationsReadBack(String text, long millis) {
        Duration duration = Durations.parse(text);
        assertThat(duration).isEqualTo(Duration.ofMillis(millis));
        assertThat(Durations.parse(Durations.text(duration))).isEqualTo(duration);
    }
}
