package io.penstock.cache.plan.rank;

import io.penstock.cache.model.PenstockException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * An engine's layout, and which of its ranks run in one container, as the arguments tell that it is started with. What is not
 * understood for certain is said to be unknown: then everything is needed.
 */
public final class EngineArguments {
    private EngineArguments() {}

    /** What the arguments tell. */
    public sealed interface Found {
        /** The ranks that run in the container; all are if it is alone. */
        record Known(Layout layout, List<Integer> ranks) implements Found {
            public Known {
                ranks = List.copyOf(ranks);
            }

            /** As an option has them: {@code 0-7} or {@code 0,8}. */
            public String ranksText() {
                boolean run = ranks.getLast() - ranks.getFirst() == ranks.size() - 1;
                return run && ranks.size() > 1
                        ? ranks.getFirst() + "-" + ranks.getLast()
                        : String.join(",", ranks.stream().map(String::valueOf).toList());
            }
        }

        /** Why it cannot be told. */
        record Unknown(String why) implements Found {}
    }

    /** Something in the arguments that keeps them from telling. */
    static final class NotKnown extends Exception {
        private static final long serialVersionUID = 1;

        NotKnown(String why) {
            super(why);
        }
    }

    /**
     * Reads them.
     *
     * @param image of the container; tells the engine where {@code words} are arguments only
     * @param words the container's command and its arguments
     * @param environment its variables as far as their values are known; in a LeaderWorkerSet {@code LWS_GROUP_SIZE} and
     *     {@code LWS_WORKER_INDEX} are among them
     */
    public static Found read(String image, List<String> words, Map<String, String> environment) {
        Map<String, String> variables = new HashMap<>(environment);
        try {
            List<String> command = CommandLineWords.of(words, variables);
            int arguments = VllmArguments.begin(image, command);
            if (arguments >= 0) {
                return VllmArguments.read(command.subList(arguments, command.size()), variables);
            }
            arguments = SglangArguments.begin(command);
            if (arguments >= 0) {
                return SglangArguments.read(command.subList(arguments, command.size()), variables);
            }
            return new Found.Unknown("the container starts no engine that is known");
        } catch (NotKnown | PenstockException e) {
            return new Found.Unknown(String.valueOf(e.getMessage()));
        }
    }

    /** Where arguments begin behind {@code python3 -m MODULE}; -1: it is none of these. */
    static int module(List<String> words, String module) {
        return words.size() > 2
                        && words.get(0).matches("(.*/)?python[0-9.]*")
                        && words.get(1).equals("-m")
                        && words.get(2).equals(module)
                ? 3
                : -1;
    }

    /** Pods that make up one engine; 1 where nobody says. */
    static int pods(Map<String, String> environment) throws NotKnown {
        String size = environment.getOrDefault("LWS_GROUP_SIZE", "1");
        if (!size.matches("[0-9]{1,5}")) {
            throw new NotKnown("LWS_GROUP_SIZE is no number");
        }
        return Integer.parseInt(size);
    }

    static List<Integer> run(int from, int count) {
        return IntStream.range(from, from + count).boxed().toList();
    }

    /** Of a value that somebody else wrote, as much as a message takes. */
    static String shown(String value) {
        return value.length() > 40 ? value.substring(0, 40) + "..." : value;
    }
}
