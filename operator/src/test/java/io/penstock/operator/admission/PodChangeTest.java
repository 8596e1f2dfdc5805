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

    private static Pod engine(Map<String, String> annotations, String... command) {
        return new PodBuilder(pod())
                .editMetadata()
                .addToAnnotations(annotations)
                .addToLabels("leaderworkerset.sigs.k8s.io/worker-index", "1")
                .endMetadata()
                .editSpec()
                .addNewContainer()
                .withName("engine")
                .withCommand(command)
                .addNewEnv()
                .withName("LWS_WORKER_INDEX")
                .withNewValueFrom()
                .withNewFieldRef("v1", "metadata.labels['leaderworkerset.sigs.k8s.io/worker-index']")
                .endValueFrom()
                .endEnv()
                .addNewVolumeMount()
                .withName("model")
                .withMountPath("/model")
                .endVolumeMount()
                .endContainer()
                .addNewContainer()
                .withName("beside")
                .withCommand("sleep", "1")
                .endContainer()
                .endSpec()
                .build();
    }

    private List<String> ranks(Pod pod) {
        return change.apply(pod, "ml").orElseThrow().getSpec().getInitContainers().getFirst().getArgs().stream()
                .filter(a -> a.matches("--(layout|rank|role|everything-because)=.*"))
                .toList();
    }

    @Test
    void ranks_are_those_that_the_engine_is_started_with() {
        Map<String, String> auto = Map.of(PodChange.RANKS, "auto");
        String[] vllm = {
            "vllm",
            "serve",
            "/model",
            "-tp",
            "1",
            "--data-parallel-size=16",
            "--enable-expert-parallel",
            "--nnodes=2",
            "--node-rank=$(LWS_WORKER_INDEX)"
        };
        assertThat(ranks(engine(auto, vllm))).containsExactly("--layout=tp=1,dp=16,ep=16", "--rank=8-15");
        assertThat(ranks(engine(Map.of(), vllm))).isEmpty();
        Pod spread = new PodBuilder(engine(auto, "vllm", "serve", "/model", "-tp", "16"))
                .editMetadata()
                .addToAnnotations("leaderworkerset.sigs.k8s.io/size", "2")
                .endMetadata()
                .build();
        assertThat(ranks(spread))
                .containsExactly("--everything-because=its ranks are spread over 2 pods, and nothing says how");
        assertThat(ranks(engine(auto, "sleep", "1")))
                .containsExactly("--everything-because=the container starts no engine that is known");
        assertThat(ranks(pod(auto))).containsExactly("--everything-because=0 containers of the pod mount the model");
    }

    private static Pod pod(Map<String, String> annotations) {
        return new PodBuilder(pod())
                .editMetadata()
                .addToAnnotations(annotations)
                .endMetadata()
                .build();
    }

    @Test
    void ranks_are_those_that_the_pod_names() {
        assertThat(ranks(pod(Map.of(PodChange.RANKS, "0-7", PodChange.LAYOUT, "a:tp=8;b:tp=16", PodChange.ROLE, "b"))))
                .containsExactlyInAnyOrder("--layout=a:tp=8;b:tp=16", "--rank=0-7", "--role=b");
        assertThat(ranks(pod(Map.of(PodChange.LAYOUT, "tp=8")))).containsExactly("--layout=tp=8");
        assertThat(ranks(pod(Map.of(PodChange.RANKS, "0-7"))))
                .singleElement()
                .asString()
                .startsWith("--everything-because=");
        assertThat(ranks(pod(Map.of(PodChange.RANKS, "auto", PodChange.LAYOUT, "tp=8"))))
                .singleElement()
                .asString()
                .startsWith("--everything-because=");
    }
}
