package io.penstock.sidecar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class WaitTest {
    @Test
    void isWrittenAsAWord() {
        assertThat(Wait.parse("all")).isEqualTo(new Wait.All());
        assertThat(Wait.parse("config")).isEqualTo(new Wait.Config());
        assertThat(Wait.parse("none")).isEqualTo(new Wait.None());
        assertThat(Wait.parse("bytes=20GiB")).isEqualTo(new Wait.Bytes(20L << 30));
        assertThat(Wait.parse("bytes=4096")).isEqualTo(new Wait.Bytes(4096));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "ALL", "bytes", "bytes=", "bytes=-1", "bytes=much"})
    void anythingElseIsNone(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> Wait.parse(text));
    }
}
