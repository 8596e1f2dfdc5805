package io.penstock.cache.command;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.plan.rank.Layout;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import picocli.CommandLine.Option;

/** Of which layout an engine is, and whose ranks are meant: for every command that can do with a part of a model. */
public final class LayoutOptions {
    @Option(names = "--tp", paramLabel = "N", description = "Tensor parallel size.")
    private String tensor;

    @Option(names = "--pp", paramLabel = "N", description = "Pipeline parallel size.")
    private String pipeline;

    @Option(
            names = "--dp",
            paramLabel = "N",
            description = "Data parallel size. With SGLang: of attention (DP attention).")
    private String data;

    @Option(
            names = "--ep",
            paramLabel = "N|on",
            description =
                    "Ranks that share out the experts; on: all of a stage. Without it experts are split as matrices"
                            + " are.")
    private String expert;

    @Option(names = "--redundant", paramLabel = "N", description = "Redundant experts.")
    private String redundant;

    @Option(names = "--engine", paramLabel = "NAME", description = "vllm (default) or sglang.")
    private String engine;

    @Option(
            names = "--stages",
            paramLabel = "N-N-...",
            description = "Layers of each pipeline stage, when set by hand.")
    private String stages;

    @Option(names = "--placement", paramLabel = "WAY", description = "Of experts: linear (default) or round-robin.")
    private String placement;

    @Option(
            names = "--mtp",
            paramLabel = "on|off",
            description = "Layers for speculative decoding are loaded; default: off.")
    private String speculative;

    @Option(
            names = "--layout",
            paramLabel = "TEXT",
            description = "All of these in one: tp=8,ep=on; of several roles: prefill:tp=8;decode:dp=16,ep=on.")
    private String text;

    @Option(names = "--role", paramLabel = "NAME", description = "Which of the layouts in --layout: prefill or decode.")
    private String role;

    @Option(
            names = "--rank",
            paramLabel = "N",
            description = "Rank, from 0; or several, as those of a node: 0-7, or 0,8. Default: all.")
    private String rank;

    /** Whether a part of the model is meant. */
    public boolean given() {
        return rank != null || !words().isEmpty() || text != null;
    }

    /**
     * As given; one rank that has everything, where nothing is.
     *
     * @throws PenstockException it cannot be
     */
    public Layout layout() throws PenstockException {
        return Layout.parse(text == null ? words() : Layout.ofRole(text, role == null ? "" : role) + "," + words());
    }

    private String words() {
        List<String> words = new ArrayList<>();
        String[][] all = {
            {"tp", tensor},
            {"pp", pipeline},
            {"dp", data},
            {"ep", expert},
            {"redundant", redundant},
            {"engine", engine},
            {"stages", stages},
            {"placement", placement},
            {"mtp", speculative}
        };
        for (String[] word : all) {
            if (word[1] != null) {
                words.add(word[0] + "=" + word[1]);
            }
        }
        return String.join(",", words);
    }

    /**
     * Whose bytes are meant.
     *
     * @throws PenstockException they are no ranks of the layout
     */
    public List<Integer> ranks(Layout layout) throws PenstockException {
        return rank == null ? IntStream.range(0, layout.ranks()).boxed().toList() : ranks(rank, layout);
    }

    /** Ranks as they are written: {@code 0-7,12}. */
    private static List<Integer> ranks(String text, Layout layout) throws PenstockException {
        Set<Integer> ranks = new TreeSet<>();
        for (String word : text.split(",", -1)) {
            if (!word.matches("[0-9]{1,5}(-[0-9]{1,5})?")) {
                throw refused("'" + text + "' names no ranks", layout);
            }
            String[] ends = word.split("-", -1);
            int from = Integer.parseInt(ends[0]);
            int to = Integer.parseInt(ends[ends.length - 1]);
            if (to < from || to >= layout.ranks()) {
                throw refused("there are no ranks " + word + " in " + layout, layout);
            }
            IntStream.rangeClosed(from, to).forEach(ranks::add);
        }
        return List.copyOf(ranks);
    }

    private static PenstockException refused(String what, Layout layout) {
        return new PenstockException(
                ErrorCode.USAGE, what, "Ranks are 0 to " + (layout.ranks() - 1) + ": --rank 0, --rank 0-7.");
    }
}
