package io.penstock.cache.plan.rank;

import io.penstock.cache.model.PenstockException;
import io.penstock.cache.plan.rank.EngineArguments.Found;
import io.penstock.cache.plan.rank.EngineArguments.NotKnown;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code vllm serve}, as of 0.32. */
final class VllmArguments {
    private static final Map<String, String> NAMES = Map.ofEntries(
            Map.entry("tensor-parallel-size", "tp"),
            Map.entry("tp", "tp"),
            Map.entry("pipeline-parallel-size", "pp"),
            Map.entry("pp", "pp"),
            Map.entry("data-parallel-size", "dp"),
            Map.entry("dp", "dp"),
            Map.entry("data-parallel-size-local", "local"),
            Map.entry("dpl", "local"),
            Map.entry("data-parallel-start-rank", "start"),
            Map.entry("dpr", "start"),
            Map.entry("data-parallel-rank", "rank"),
            Map.entry("dpn", "rank"),
            Map.entry("enable-expert-parallel", "ep"),
            Map.entry("ep", "ep"),
            Map.entry("no-enable-expert-parallel", "no-ep"),
            Map.entry("enable-eplb", "eplb"),
            Map.entry("eplb-config", "eplb-config"),
            Map.entry("expert-placement-strategy", "placement"),
            Map.entry("speculative-config", "speculative"),
            Map.entry("sc", "speculative"),
            Map.entry("nnodes", "nodes"),
            Map.entry("n", "nodes"),
            Map.entry("node-rank", "node"),
            Map.entry("r", "node"),
            Map.entry("headless", "headless"),
            Map.entry("data-parallel-external-lb", "external"),
            Map.entry("dpe", "external"),
            Map.entry("data-parallel-hybrid-lb", "hybrid"),
            Map.entry("dph", "hybrid"),
            Map.entry("data-parallel-multi-port-external-lb", "external-ports"),
            Map.entry("dpm", "external-ports"),
            Map.entry("data-parallel-backend", "dp-backend"),
            Map.entry("dpb", "dp-backend"),
            Map.entry("distributed-executor-backend", "executor"),
            Map.entry("prefill-context-parallel-size", "pcp"),
            Map.entry("pcp", "pcp"),
            Map.entry("enable-elastic-ep", "elastic"),
            Map.entry("hf-overrides", "hf-overrides"),
            Map.entry("model-impl", "model-impl"),
            Map.entry("load-format", "load-format"),
            Map.entry("config", "config"));
    private static final Set<String> FLAGS =
            Set.of("ep", "no-ep", "eplb", "headless", "external", "hybrid", "external-ports", "elastic");
    private static final Pattern REDUNDANT = Pattern.compile("\"num_redundant_experts\"\\s*:\\s*([0-9]{1,5})\\s*[,}]");

    private VllmArguments() {}

    static int begin(String image, List<String> words) {
        if (words.size() > 1
                && words.get(0).matches("(.*/)?vllm")
                && words.get(1).equals("serve")) {
            return 2;
        }
        // this image's entry point is the command
        if (!words.isEmpty() && words.getFirst().startsWith("-") && image.contains("vllm-openai")) {
            return 0;
        }
        return EngineArguments.module(words, "vllm.entrypoints.openai.api_server");
    }

    static Found read(List<String> arguments, Map<String, String> environment) throws NotKnown, PenstockException {
        EngineOptions options = EngineOptions.of(arguments, NAMES, FLAGS);
        for (String other : List.of("config", "hf-overrides", "elastic", "external-ports")) {
            options.require(other);
        }
        options.require("pcp", "1");
        options.require("dp-backend", "mp");
        options.require("executor", "mp", "uni");
        options.require("model-impl", "auto", "vllm");
        options.require("load-format", "auto", "safetensors", "penstock", "fastsafetensors", "runai_streamer");
        for (String variable : List.of("VLLM_DP_SIZE", "VLLM_DP_RANK")) {
            if (environment.containsKey(variable)) {
                throw new NotKnown(variable + " is set");
            }
        }
        Layout layout = layout(options, environment.getOrDefault("VLLM_PP_LAYER_PARTITION", ""));
        return new Found.Known(layout, ranks(options, layout, EngineArguments.pods(environment)));
    }

    private static Layout layout(EngineOptions options, String stages) throws NotKnown, PenstockException {
        if (options.has("ep") && options.has("no-ep")) {
            throw new NotKnown("expert parallelism is on and off");
        }
        StringBuilder text = new StringBuilder("tp=" + options.number("tp", 1));
        text.append(",pp=").append(options.number("pp", 1)).append(",dp=").append(options.number("dp", 1));
        if (options.has("ep")) {
            text.append(",ep=on,redundant=").append(options.has("eplb") ? redundant(options) : 0);
        }
        if (options.has("placement")) {
            options.require("placement", "linear", "round_robin");
            text.append(",placement=").append(options.text("placement", "").replace('_', '-'));
        }
        text.append(stages.isEmpty() ? "" : ",stages=" + stages.replace(" ", "").replace(',', '-'));
        return Layout.parse(
                text.append(options.has("speculative") ? ",mtp=on" : "").toString());
    }

    private static String redundant(EngineOptions options) throws NotKnown {
        String config = options.text("eplb-config", "{}");
        Matcher number = REDUNDANT.matcher(config);
        if (number.find()) {
            return number.group(1);
        }
        if (!config.startsWith("{") || config.contains("num_redundant_experts")) {
            throw new NotKnown("--eplb-config is not understood here");
        }
        return "0";
    }

    private static List<Integer> ranks(EngineOptions options, Layout layout, int pods) throws NotKnown {
        int replica = layout.tensor() * layout.pipeline();
        int nodes = options.number("nodes", 1);
        boolean parted = options.has("local") || options.has("start") || options.has("rank");
        boolean balanced = options.has("external") || options.has("hybrid");
        if (nodes > 1) {
            int node = options.number("node", -1);
            int here = layout.ranks() / nodes;
            boolean even = layout.ranks() % nodes == 0 && (here % replica == 0 || replica % here == 0);
            if (parted || balanced || !even || node < 0 || node >= nodes || (pods > 1 && pods != nodes)) {
                throw new NotKnown("--nnodes, --node-rank and the other sizes do not say which ranks are here");
            }
            return EngineArguments.run(node * here, here);
        }
        if (options.has("rank")) {
            return replicas(options.number("rank", 0), 1, replica, layout);
        }
        if (options.has("local")) {
            boolean first = !options.has("headless") && !balanced;
            if (!options.has("start") && !first) {
                throw new NotKnown("there is no --data-parallel-start-rank");
            }
            return replicas(options.number("start", 0), options.number("local", 0), replica, layout);
        }
        if (balanced || options.has("start") || options.has("headless")) {
            throw new NotKnown("it does not say which of its data-parallel ranks are here");
        }
        if (pods > 1) {
            throw new NotKnown("its ranks are spread over " + pods + " pods, and nothing says how");
        }
        return EngineArguments.run(0, layout.ranks());
    }

    private static List<Integer> replicas(int from, int count, int replica, Layout layout) throws NotKnown {
        if (count < 1 || from + count > layout.data()) {
            throw new NotKnown(
                    "there are no data-parallel ranks " + from + " to " + (from + count - 1) + " in " + layout);
        }
        return EngineArguments.run(from * replica, count * replica);
    }
}
