package io.penstock.cache.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

final class PagesTest {

    @Test
    void memoryIsAlignedZeroAndGoneWithItsArena() throws Exception {
        MemorySegment memory;
        try (Arena arena = Arena.ofShared()) {
            memory = Pages.map(64L << 30, arena);
            assertThat(memory.byteSize()).isEqualTo(64L << 30);
            assertThat(memory.address() % (2 << 20)).isZero();
            long last = memory.byteSize() - 8;
            assertThat(memory.get(ValueLayout.JAVA_LONG, last)).isZero();
            memory.set(ValueLayout.JAVA_LONG, last, 42);
            assertThat(memory.get(ValueLayout.JAVA_LONG, last)).isEqualTo(42);
        }
        assertThatThrownBy(() -> memory.get(ValueLayout.JAVA_LONG, 0)).isInstanceOf(IllegalStateException.class);
    }
}
