package io.penstock.cache.plan.rank;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * How an engine spreads a model over ranks. With vLLM there are {@code data * pipeline * tensor} of them, numbered in this order; with
 * SGLang {@code pipeline * tensor}, of which attention takes {@code tensor / data} when {@code data} is more than 1.
 *
 * @param expert how many ranks share out the experts; 1: each expert is split like a matrix
 * @param redundant copies of experts beyond the first of each
 * @param stages layers of each pipeline stage; empty: as the engine does it by itself
 * @param roundRobin experts go round the ranks, rather than in runs
 * @param speculative layers for speculative decoding are loaded too
 */
public record Layout(
        Engine engine,
        int tensor,
        int pipeline,
        int data,
        int expert,
        int redundant,
        List<Integer> stages,
        boolean roundRobin,
        boolean speculative) {
    /** One rank that has everything. */
    public static final Layout SINGLE = new Layout(Engine.VLLM, 1, 1, 1, 1, 0, List.of(), false, false);

    private static final int MOST = 65_536;
    private static final Set<String> NAMES =
            Set.of("tp", "pp", "dp", "ep", "redundant", "stages", "engine", "placement", "mtp");

    /** Whose rules hold. */
    public enum Engine {
        VLLM,
        SGLANG
    }

    public Layout {
        stages = List.copyOf(stages);
    }

    /**
     * Of options that people and engines write.
     *
     * @param text such as {@code tp=8,pp=2,dp=4,ep=32,redundant=16,engine=sglang,stages=31-30,placement=round-robin,mtp=on}; what is not
     *     named is 1, and {@code ep} may be {@code on}
     * @throws PenstockException it cannot be
     */
    public static Layout parse(String text) throws PenstockException {
        Map<String, String> words = new HashMap<>();
        for (String word : text.split("[,\\s]+", -1)) {
            int equals = Math.max(0, word.indexOf('='));
            String name = word.substring(0, equals);
            if (!word.isEmpty()
                    && (!NAMES.contains(name)
                            || words.put(name, word.substring(equals + 1).toLowerCase(Locale.ROOT)) != null)) {
                throw refused("'" + word + "' is no part of a layout, or there twice");
            }
        }
        boolean all = "on".equals(words.get("ep"));
        List<Integer> stages = new ArrayList<>();
        for (String stage : words.getOrDefault("stages", "").split("-", -1)) {
            if (!stage.isEmpty()) {
                stages.add(number("stages", stage, 1));
            }
        }
        Layout layout = new Layout(
                choice(words, "engine", "sglang", "vllm") ? Engine.SGLANG : Engine.VLLM,
                number("tp", words.get("tp"), 1),
                number("pp", words.get("pp"), 1),
                number("dp", words.get("dp"), 1),
                number("ep", all ? null : words.get("ep"), 1),
                number("redundant", words.get("redundant"), 0),
                stages,
                choice(words, "placement", "round-robin", "linear"),
                choice(words, "mtp", "on", "off"));
        return (all ? layout.withExperts() : layout).checked();
    }

    /**
     * The text for one role, of {@code prefill:tp=8;decode:dp=16,ep=on}. A text that names no roles is for all.
     *
     * @throws PenstockException it has none for the role, or the role is needed and not said
     */
    public static String ofRole(String text, String role) throws PenstockException {
        if (!text.contains(":")) {
            return text;
        }
        for (String one : text.split(";", -1)) {
            int colon = one.indexOf(':');
            if (colon > 0 && one.substring(0, colon).strip().equals(role)) {
                return one.substring(colon + 1).strip();
            }
        }
        throw refused(role.isEmpty() ? "it is of several roles, and none is named" : "it has none for " + role);
    }

    private static boolean choice(Map<String, String> words, String name, String one, String other)
            throws PenstockException {
        String value = words.getOrDefault(name, other);
        if (!value.equals(one) && !value.equals(other)) {
            throw refused(name + " is '" + value + "', neither " + one + " nor " + other);
        }
        return value.equals(one);
    }

    private static int number(String name, String value, int least) throws PenstockException {
        if (value == null) {
            return least;
        }
        if (!value.matches("[0-9]{1,5}") || Integer.parseInt(value) < least) {
            throw refused(name + " is '" + value + "', no number from " + least + " to 99999");
        }
        return Integer.parseInt(value);
    }

    /** With the experts shared out among all the ranks of a stage. */
    public Layout withExperts() {
        int ranks = engine == Engine.VLLM ? tensor * data : tensor;
        return new Layout(engine, tensor, pipeline, data, ranks, redundant, stages, roundRobin, speculative);
    }

    /** The same with experts in runs. */
    Layout inRuns() {
        return new Layout(engine, tensor, pipeline, data, expert, redundant, stages, false, speculative);
    }

    /**
     * This one.
     *
     * @throws PenstockException no engine runs like that
     */
    public Layout checked() throws PenstockException {
        long ranks = (long) tensor * pipeline * (engine == Engine.VLLM ? data : 1);
        if (ranks > MOST) {
            throw refused("it has more than " + MOST + " ranks");
        }
        if (engine == Engine.VLLM && expert != 1 && expert != tensor * data) {
            throw refused("ep is " + expert + "; with vLLM it is 1, or tp times dp: " + tensor * data);
        }
        if (engine == Engine.SGLANG && tensor % expert != 0) {
            throw refused("tp " + tensor + " is no multiple of ep " + expert);
        }
        if (engine == Engine.SGLANG && tensor % data != 0) {
            throw refused("tp " + tensor + " is no multiple of dp " + data);
        }
        if (!stages.isEmpty() && stages.size() != pipeline) {
            throw refused(stages.size() + " stages are named, and pp is " + pipeline);
        }
        return this;
    }

    /** Ranks that there are. */
    public int ranks() {
        return tensor * pipeline * (engine == Engine.VLLM ? data : 1);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("tp=" + tensor);
        append(text, "pp", pipeline, 1);
        append(text, "dp", data, 1);
        append(text, "ep", expert, 1);
        append(text, "redundant", redundant, 0);
        if (!stages.isEmpty()) {
            text.append(",stages=")
                    .append(String.join(
                            "-", stages.stream().map(String::valueOf).toList()));
        }
        text.append(engine == Engine.SGLANG ? ",engine=sglang" : "");
        text.append(roundRobin ? ",placement=round-robin" : "");
        return text.append(speculative ? ",mtp=on" : "").toString();
    }

    private static void append(StringBuilder text, String name, int value, int usual) {
        if (value != usual) {
            text.append(',').append(name).append('=').append(value);
        }
    }

    private static PenstockException refused(String why) {
        return new PenstockException(
                ErrorCode.USAGE, "that layout cannot be: " + why, "Write it as tp=8,pp=2,dp=4,ep=32: docs/LOADER.md.");
    }
}
