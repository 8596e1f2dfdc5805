package io.penstock.cache.plan.rank;

import io.penstock.cache.model.PenstockException;
import io.penstock.cache.plan.rank.EngineArguments.Found;
import io.penstock.cache.plan.rank.EngineArguments.NotKnown;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** {@code sglang.launch_server}, as of 0.5.23. */
final class SglangArguments {
    private static final Map<String, String> NAMES = Map.ofEntries(
            Map.entry("tensor-parallel-size", "tp"),
            Map.entry("tp-size", "tp"),
            Map.entry("tp", "tp"),
            Map.entry("pipeline-parallel-size", "pp"),
            Map.entry("pp-size", "pp"),
            Map.entry("data-parallel-size", "dp"),
            Map.entry("dp-size", "dp"),
            Map.entry("dp", "dp"),
            Map.entry("enable-dp-attention", "dp-attention"),
            Map.entry("attention-data-parallel-size", "attention"),
            Map.entry("attn-dp-size", "attention"),
            Map.entry("expert-parallel-size", "ep"),
            Map.entry("ep-size", "ep"),
            Map.entry("ep", "ep"),
            Map.entry("ep-num-redundant-experts", "redundant"),
            Map.entry("init-expert-location", "location"),
            Map.entry("moe-a2a-backend", "a2a"),
            Map.entry("moe-dense-tp-size", "dense"),
            Map.entry("speculative-algorithm", "speculative"),
            Map.entry("speculative-algo", "speculative"),
            Map.entry("nnodes", "nodes"),
            Map.entry("node-rank", "node"),
            Map.entry("attention-context-parallel-size", "cp"),
            Map.entry("attn-cp-size", "cp"),
            Map.entry("enable-prefill-cp", "prefill-cp"),
            Map.entry("moe-data-parallel-size", "moe-dp"),
            Map.entry("moe-dp-size", "moe-dp"),
            Map.entry("dwdp-size", "dwdp"),
            Map.entry("shared-experts-tp-size", "shared"),
            Map.entry("elastic-ep-backend", "elastic"),
            Map.entry("elastic-ep-initial-size", "elastic-size"),
            Map.entry("max-ep-size", "elastic-most"),
            Map.entry("json-model-override-args", "overrides"),
            Map.entry("model-impl", "model-impl"),
            Map.entry("load-format", "load-format"),
            Map.entry("config", "config"));
    /** Ways of exchanging tokens with which experts are shared out among all ranks of a stage, whatever else is said. */
    private static final Set<String> SPANNING = Set.of(
            "megamoe",
            "deepep",
            "deepep_v2",
            "mooncake",
            "nixl",
            "ascend_fuseep",
            "flashinfer",
            "flashinfer_megamoe",
            "mori",
            "pplx");

    private static final Set<String> FLAGS = Set.of("dp-attention", "prefill-cp");

    private SglangArguments() {}

    static int begin(List<String> words) {
        if (words.size() > 1
                && words.get(0).matches("(.*/)?sglang")
                && words.get(1).equals("serve")) {
            return 2;
        }
        return EngineArguments.module(words, "sglang.launch_server");
    }

    static Found read(List<String> arguments, Map<String, String> environment) throws NotKnown, PenstockException {
        EngineOptions options = EngineOptions.of(arguments, NAMES, FLAGS);
        for (String other : List.of("config", "overrides", "prefill-cp", "elastic", "elastic-size", "elastic-most")) {
            options.require(other);
        }
        for (String size : List.of("cp", "moe-dp", "dwdp", "shared")) {
            options.require(size, "1");
        }
        options.require("location", "trivial");
        options.require("model-impl", "auto", "sglang");
        options.require("load-format", "auto", "safetensors");
        Layout layout = layout(options, environment.getOrDefault("SGLANG_PP_LAYER_PARTITION", ""));
        return new Found.Known(layout, ranks(options, layout, EngineArguments.pods(environment)));
    }

    private static Layout layout(EngineOptions options, String stages) throws NotKnown, PenstockException {
        int attention = options.number("attention", 1);
        if (options.has("dp-attention")) {
            if (options.has("attention")) {
                throw new NotKnown("data-parallel attention is asked for in two ways");
            }
            attention = options.number("dp", 1);
        }
        if (attention == 1) {
            options.require("dense");
        }
        int tensor = options.number("tp", 1);
        int expert = options.number("ep", 1);
        boolean exchange = SPANNING.contains(options.text("a2a", "none"));
        if (!exchange) {
            options.require("a2a", "none");
        }
        if (exchange && options.has("ep") && expert != tensor) {
            throw new NotKnown("--moe-a2a-backend and --ep-size contradict each other");
        }
        return Layout.parse("engine=sglang,tp=" + tensor + ",pp=" + options.number("pp", 1) + ",dp=" + attention
                + ",ep="
                + (exchange ? tensor : expert) + ",redundant=" + options.number("redundant", 0)
                + (stages.isEmpty() ? "" : ",stages=" + stages.replace(" ", "").replace(',', '-'))
                + (options.has("speculative") ? ",mtp=on" : ""));
    }

    private static List<Integer> ranks(EngineOptions options, Layout layout, int pods) throws NotKnown {
        int nodes = options.number("nodes", 1);
        if (nodes <= 1) {
            if (pods > 1) {
                throw new NotKnown("its ranks are spread over " + pods + " pods, and nothing says how");
            }
            return EngineArguments.run(0, layout.ranks());
        }
        int node = options.number("node", -1);
        boolean replicas = !options.has("dp-attention") && options.number("dp", 1) > 1;
        boolean even = layout.pipeline() % nodes == 0
                || (nodes % layout.pipeline() == 0 && layout.tensor() % (nodes / layout.pipeline()) == 0);
        if (replicas || !even || node < 0 || node >= nodes || (pods > 1 && pods != nodes)) {
            throw new NotKnown("--nnodes, --node-rank and the other sizes do not say which ranks are here");
        }
        int stages = Math.max(layout.pipeline() / nodes, 1);
        int nodesOfStage = Math.max(nodes / layout.pipeline(), 1);
        int tensors = layout.tensor() / nodesOfStage;
        List<Integer> ranks = new ArrayList<>();
        for (int s = 0; s < stages; s++) {
            int stage = stages * (node / nodesOfStage) + s;
            ranks.addAll(EngineArguments.run(stage * layout.tensor() + tensors * (node % nodesOfStage), tensors));
        }
        return ranks;
    }
}
