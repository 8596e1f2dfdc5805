package io.penstock.operator.watch;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.NodeSelectorTermBuilder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;

final class ApplierTest {
    private static SequencedMap<String, Object> spec(String value) {
        SequencedMap<String, Object> spec = new LinkedHashMap<>();
        spec.put("at", "s3://models/llama");
        spec.put("options", new LinkedHashMap<>(Map.of("region", value)));
        spec.put(
                "terms",
                List.of(new NodeSelectorTermBuilder()
                        .addNewMatchExpression()
                        .withKey("zone")
                        .withValues("a")
                        .endMatchExpression()
                        .build()));
        return spec;
    }

    @Test
    void theOrderOfAMapDoesNotCountAndWhatIsInItDoes() {
        assertThat(Applier.fingerprint(spec("eu").reversed()))
                .isEqualTo(Applier.fingerprint(spec("eu")))
                .hasSize(16)
                .isNotEqualTo(Applier.fingerprint(spec("us")));
        assertThat(Applier.fingerprint(Map.of("all", List.of("a", "b"))))
                .isNotEqualTo(Applier.fingerprint(Map.of("all", List.of("b", "a"))));
    }
}
