package io.penstock.operator.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PreferredSchedulingTerm;
import io.penstock.operator.admission.PodChange.SidecarImage;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PodChangeTest {
    private final Map<String, Long> bytes = new HashMap<>(Map.of("gpu-1", 100L, "gpu-2", 50L));
    private final PodChange change =
            new PodChange((namespace, claim) -> Optional.of(bytes), new SidecarImage("penstock:1", "Always"));

    private static Pod pod() {
        return new PodBuilder()
                .withNewMetadata()
                .withName("engine")
                .addToAnnotations(PodChange.INJECT, "true")
                .endMetadata()
                .withNewSpec()
                .addNewVolume()
                .withName("model")
                .withNewPersistentVolumeClaim("llama", true)
                .endVolume()
                .endSpec()
                .build();
    }

    private static List<PreferredSchedulingTerm> terms(Pod pod) {
        return pod.getSpec().getAffinity().getNodeAffinity().getPreferredDuringSchedulingIgnoredDuringExecution();
    }

    @Test
    void a_second_time_changes_nothing_more() {
        Pod once = change.apply(pod(), "ml").orElseThrow();
        assertThat(change.apply(once, "ml")).contains(once);
        assertThat(terms(once)).hasSize(2);
        assertThat(once.getSpec().getInitContainers()).hasSize(1);
    }

    @Test
    void bytes_that_came_in_between_do_not_name_a_node_twice() {
        Pod once = change.apply(pod(), "ml").orElseThrow();
        bytes.put("gpu-2", 100L);
        bytes.put("gpu-3", 100L);
        assertThat(terms(change.apply(once, "ml").orElseThrow()))
                .extracting(t -> t.getPreference()
                        .getMatchFields()
                        .getFirst()
                        .getValues()
                        .getFirst())
                .containsExactlyInAnyOrder("gpu-1", "gpu-2", "gpu-3");
    }

    @Test
    void what_the_pod_itself_prefers_stays() {
        Pod own = new PodBuilder(pod())
                .editSpec()
                .withNewAffinity()
                .withNewNodeAffinity()
                .addNewPreferredDuringSchedulingIgnoredDuringExecution()
                .withWeight(7)
                .withNewPreference()
                .addNewMatchExpression()
                .withKey("zone")
                .withOperator("In")
                .withValues("a")
                .endMatchExpression()
                .endPreference()
                .endPreferredDuringSchedulingIgnoredDuringExecution()
                .endNodeAffinity()
                .endAffinity()
                .endSpec()
                .build();
        assertThat(terms(change.apply(own, "ml").orElseThrow()))
                .hasSize(3)
                .contains(terms(own).getFirst());
    }
}
