package io.penstock.cache.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.cache.chunk.TierOptions;
import io.penstock.cache.config.ConfigLoader;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeSetupTest {
    @TempDir
    private Path directory;

    private TierOptions tier(String... settings) throws PenstockException {
        ConfigLoader loader =
                ConfigLoader.forAllKeys().set("cache.dir=" + directory).set("cache.size=1GiB");
        for (String setting : settings) {
            loader = loader.set(setting);
        }
        return NodeSetup.options(loader.load()).store().tiers().getFirst();
    }

    @Test
    void watermarksAreThoseOfTheConfiguration() throws Exception {
        assertThat(tier().high()).isEqualTo(0.95);
        assertThat(tier().low()).isEqualTo(0.85);
        TierOptions tier = tier("cache.high=0.6", "cache.low=0.5");
        assertThat(tier.high()).isEqualTo(0.6);
        assertThat(tier.low()).isEqualTo(0.5);
        assertThat(tier.quota()).isEqualTo(1L << 30);
    }

    @Test
    void aLowOneAboveTheHighOneIsAnError() {
        assertThatThrownBy(() -> tier("cache.high=0.6"))
                .isInstanceOfSatisfying(
                        PenstockException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_VALUE))
                .hasMessageContaining("low 0.85, high 0.6");
    }
}
