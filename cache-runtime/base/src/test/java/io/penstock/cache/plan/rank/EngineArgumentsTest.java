package io.penstock.cache.plan.rank;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.plan.rank.EngineArguments.Found;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class EngineArgumentsTest {
    private static final Map<String, String> WORKER = Map.of("LWS_GROUP_SIZE", "2", "LWS_WORKER_INDEX", "1");

    private static String read(List<String> words, Map<String, String> environment) {
        return switch (EngineArguments.read("", words, environment)) {
            case Found.Known known -> known.layout() + " " + known.ranksText();
            case Found.Unknown unknown -> "everything: " + unknown.why();
        };
    }

    private static List<String> words(String command) {
        return List.of(command.strip().split("\\s+"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            vllm serve /m                                                       | tp=1 0
            vllm serve /m --tensor-parallel-size 8 --port 80                    | tp=8 0-7
            vllm serve /m -tp 4 -pp=2                                           | tp=4,pp=2 0-7
            vllm serve /m --tensor_parallel_size=8 --enable-expert-parallel     | tp=8,ep=8 0-7
            /usr/bin/python3.12 -m vllm.entrypoints.openai.api_server --model m -tp 2 | tp=2 0-1
            vllm serve /m -dp 16 -ep --data-parallel-size-local 8               | tp=1,dp=16,ep=16 0-7
            vllm serve /m -dp 16 -ep -dpl 8 -dpr 8 --headless                   | tp=1,dp=16,ep=16 8-15
            vllm serve /m -dp 4 -tp 2 -ep --data-parallel-rank 3                | tp=2,dp=4,ep=8 6-7
            vllm serve /m -dp 4 -tp 2 -dpl 2 -dph -dpr 2                        | tp=2,dp=4 4-7
            vllm serve /m -tp 8 -pp 2 --nnodes 2 --node-rank 1                  | tp=8,pp=2 8-15
            vllm serve /m -tp 8 -dp 2 --nnodes 4 --node-rank 3                  | tp=8,dp=2 12-15
            vllm serve /m -tp 8 -ep --enable-eplb --eplb-config {"num_redundant_experts":16,"window_size":9} | tp=8,ep=8,redundant=16 0-7
            vllm serve /m -tp 8 -ep --eplb-config {"num_redundant_experts":16}  | tp=8,ep=8 0-7
            vllm serve /m -tp 8 --speculative-config {"method":"mtp"}           | tp=8,mtp=on 0-7
            vllm serve /m -tp 8 -ep --expert-placement-strategy round_robin     | tp=8,ep=8,placement=round-robin 0-7
            python3 -m sglang.launch_server --model-path /m --tp 8              | tp=8,engine=sglang 0-7
            sglang serve --tp-size 8 --ep-size 4                                | tp=8,ep=4,engine=sglang 0-7
            python -m sglang.launch_server --tp 16 --dp 16 --enable-dp-attention --nnodes 2 --node-rank 1 --moe-a2a-backend deepep | tp=16,dp=16,ep=16,engine=sglang 8-15
            python -m sglang.launch_server --tp 16 --attn-dp-size 4 --moe-dense-tp-size 1 --ep-num-redundant-experts 32 --ep 16 | tp=16,dp=4,ep=16,redundant=32,engine=sglang 0-15
            python -m sglang.launch_server --tp 8 --pp-size 4 --nnodes 2 --node-rank 1 | tp=8,pp=4,engine=sglang 16-31
            python -m sglang.launch_server --tp 8 --pp-size 2 --nnodes 4 --node-rank 1 | tp=8,pp=2,engine=sglang 4-7
            python -m sglang.launch_server --tp 8 --dp 2                        | tp=8,engine=sglang 0-7
            python -m sglang.launch_server --tp 8 --speculative-algorithm NEXTN | tp=8,engine=sglang,mtp=on 0-7
            """)
    void whatAnEngineIsStartedWith(String command, String expected) {
        assertThat(read(words(command), Map.of())).isEqualTo(expected);
        assertThat(read(
                        List.of(
                                "/bin/sh",
                                "-c",
                                "exec " + command.replace("{", "'{").replace("}", "}'")),
                        Map.of()))
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "sleep 1",
                "vllm bench serve -tp 8",
                "ray start --head",
                "vllm serve /m -tp",
                "vllm serve /m -tp 8 --tensor-parallel-size 4",
                "vllm serve /m -tp many",
                "vllm serve /m -tp 99999",
                "vllm serve /m --tensor-parallel 8",
                "vllm serve /m -tp $(SIZE)",
                "vllm serve /m --config file.yaml",
                "vllm serve /m -tp 8 -pcp 2",
                "vllm serve /m -tp 16 --distributed-executor-backend ray",
                "vllm serve /m --load-format sharded_state",
                "vllm serve /m --hf-overrides {}",
                "vllm serve /m -ep --no-enable-expert-parallel",
                "vllm serve /m -dp 16 -dpl 8 --headless",
                "vllm serve /m -dp 16 --headless",
                "vllm serve /m -dp 16 -dpl 0",
                "vllm serve /m -dp 16 -dpl 8 -dpr 12",
                "vllm serve /m -dp 16 -dph -dpl 8",
                "vllm serve /m -dp 4 -dpe",
                "vllm serve /m -dp 4 --data-parallel-rank 4",
                "vllm serve /m -tp 8 --nnodes 2",
                "vllm serve /m -tp 8 --nnodes 3 --node-rank 0",
                "vllm serve /m -tp 8 --nnodes 2 --node-rank 2",
                "vllm serve /m -tp 2 -pp 3 --nnodes 2 --node-rank 1 -dpl 1",
                "vllm serve /m -tp 8 --eplb-config.num_redundant_experts 16",
                "vllm serve /m -tp 8 -ep --enable-eplb --eplb-config {\"num_redundant_experts\":\"16\"}",
                "python -m sglang.launch_server --tp 8 --ep-size 3",
                "python -m sglang.launch_server --tp 8 --ep-size 4 --moe-a2a-backend deepep",
                "python -m sglang.launch_server --tp 8 --attn-cp-size 2",
                "python -m sglang.launch_server --tp 8 --moe-dense-tp-size 1",
                "python -m sglang.launch_server --tp 8 --dp 2 --nnodes 2 --node-rank 0",
                "python -m sglang.launch_server --tp 8 --nnodes 3 --node-rank 0",
                "python -m sglang.launch_server --tp 8 --nnodes 2",
                "python -m sglang.launch_server --config x.yaml",
                "python -m sglang.launch_server --tensor-par 8"
            })
    void whatIsNotCertainIsEverything(String command) {
        assertThat(read(words(command), Map.of())).startsWith("everything: ");
    }

    @Test
    void aWorkerSetTellsWhichNodeItIs() {
        String command =
                "python3 -m sglang.launch_server --tp 16 --nnodes $(LWS_GROUP_SIZE) --node-rank $(LWS_WORKER_INDEX)";
        assertThat(read(words(command), WORKER)).isEqualTo("tp=16,engine=sglang 8-15");
        assertThat(read(List.of("bash", "-lc", command.replace("(", "{").replace(")", "}")), WORKER))
                .isEqualTo("tp=16,engine=sglang 8-15");
        assertThat(read(words("vllm serve /m -tp 16"), WORKER)).contains("spread over 2 pods");
        assertThat(read(words("sglang serve --tp 16"), WORKER)).contains("spread over 2 pods");
        assertThat(read(words("sglang serve --tp 16 --nnodes 4 --node-rank 0"), WORKER))
                .startsWith("everything: ");
        assertThat(read(words("vllm serve /m"), Map.of("LWS_GROUP_SIZE", "two")))
                .startsWith("everything: ");
    }

    @Test
    void stagesAndAssignmentsCount() {
        assertThat(read(words("vllm serve /m -pp 2"), Map.of("VLLM_PP_LAYER_PARTITION", "31,30")))
                .isEqualTo("tp=1,pp=2,stages=31-30 0-1");
        assertThat(read(List.of("sh", "-c", "SGLANG_PP_LAYER_PARTITION=31,30 sglang serve --pp-size 2"), Map.of()))
                .isEqualTo("tp=1,pp=2,stages=31-30,engine=sglang 0-1");
        assertThat(read(words("vllm serve /m -pp 2"), Map.of("VLLM_PP_LAYER_PARTITION", "31")))
                .startsWith("everything: ");
        assertThat(read(words("vllm serve /m"), Map.of("VLLM_DP_RANK", "1"))).startsWith("everything: ");
    }

    @Test
    void anImageMayBeTheCommand() {
        List<String> words = words("--model /m --tensor-parallel-size 4");
        assertThat(EngineArguments.read("vllm/vllm-openai:v0.32.0", words, Map.of()))
                .isInstanceOfSatisfying(
                        Found.Known.class, k -> assertThat(k.ranksText()).isEqualTo("0-3"));
        assertThat(EngineArguments.read("somebody/else", words, Map.of())).isInstanceOf(Found.Unknown.class);
    }

    @Test
    void scriptsOfOneCommandAreRead() {
        String script = "exec vllm serve \"/mnt/my model\" \\\n  --tensor-parallel-size $SIZE \\\n  --port '80'\n";
        assertThat(read(List.of("bash", "-c", script), Map.of("SIZE", "8"))).isEqualTo("tp=8 0-7");
        assertThat(read(List.of("bash", "-c", script), Map.of())).contains("SIZE");
        assertThat(read(List.of("bash", "-c", script), Map.of("SIZE", "8 -pp 2")))
                .startsWith("everything: ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "vllm serve /m; echo",
                "a && vllm serve /m",
                "vllm serve /m | tee log",
                "vllm serve $(pick)",
                "vllm serve `pick`",
                "vllm serve \"$(pick)\"",
                "vllm serve /m -tp ${N:-8}",
                "vllm serve /m -tp $1",
                "vllm serve '/m",
                "if x\nthen vllm serve /m\nfi"
            })
    void otherScriptsAreNot(String script) {
        assertThat(read(List.of("sh", "-c", script), Map.of())).startsWith("everything: ");
    }

    /** Ranks of all the nodes together are all ranks, and each is on one. */
    @Test
    void nodesShareTheRanksOut() {
        for (String engine : new String[] {
            "vllm serve /m -tp 8 -pp 2",
            "vllm serve /m -tp 2 -dp 8 -ep",
            "sglang serve --tp 16",
            "sglang serve --tp 4 --pp-size 4"
        }) {
            for (int nodes : new int[] {2, 4, 8}) {
                int[] count = new int[16];
                for (int node = 0; node < nodes; node++) {
                    Found found = EngineArguments.read(
                            "", words(engine + " --nnodes " + nodes + " --node-rank " + node), Map.of());
                    assertThat(found)
                            .isInstanceOfSatisfying(
                                    Found.Known.class, k -> k.ranks().forEach(r -> count[r]++));
                }
                assertThat(count).as(engine + " on " + nodes).containsOnly(1);
            }
        }
    }

    @Test
    void whateverIsWrittenIsAnswered() {
        String[] parts = {
            "vllm", "serve", "sh", "-c", "-tp", "8", "-pp", "--nnodes", "2", "--node-rank", "$(A)", "${A}", "'", "\"",
                    "\\", "-dpl",
            "=", "-", "--", "-1", "99999", "{", "sglang", "--tp", "python", "-m", "sglang.launch_server", "exec", "A=1",
                    "", "-n", "-r"
        };
        Random random = new Random(11);
        for (int i = 0; i < 50_000; i++) {
            String[] words = random.ints(1 + random.nextInt(10), 0, parts.length)
                    .mapToObj(n -> parts[n])
                    .toArray(String[]::new);
            Map<String, String> environment = new HashMap<>(Map.of("A", parts[random.nextInt(parts.length)]));
            assertThat(EngineArguments.read("vllm-openai", Arrays.asList(words), environment))
                    .isNotNull();
            assertThat(EngineArguments.read("", List.of("sh", "-c", String.join(" ", words)), environment))
                    .isNotNull();
        }
    }
}
