package io.penstock.cache.command;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;

/** An error as a person is told of it: one block with code, object, what happened, whether a retry helps, what next. */
public record Failure(ErrorCode code, String what, boolean retryable, String remedy) {

    /** Whatever a command may throw. What is not ours is a fault in Penstock. */
    public static Failure of(Throwable error) {
        return switch (error) {
            case PenstockException e -> new Failure(e.code(), e.getMessage(), e.retryable(), e.remedy());
            case CommandLine.ParameterException e -> usage(e);
            default ->
                new Failure(
                        ErrorCode.INTERNAL, withCause(error), false, "Run it again with -v and report what it prints.");
        };
    }

    /** Libraries wrap what happened: the innermost says it. */
    private static String withCause(Throwable error) {
        Throwable cause = error;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause.equals(error) ? error.toString() : error + ": " + cause.getMessage();
    }

    private static Failure usage(CommandLine.ParameterException e) {
        List<String> near =
                e instanceof CommandLine.UnmatchedArgumentException unmatched ? unmatched.getSuggestions() : List.of();
        String command = e.getCommandLine().getCommandSpec().qualifiedName();
        String guess = near.isEmpty() ? "" : "Did you mean " + String.join(" or ", near) + "? ";
        return new Failure(ErrorCode.USAGE, command + ": " + e.getMessage(), false, guess + command + " --help");
    }

    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add("error " + code.code() + "  " + code.title());
        lines.add("  what   " + what);
        lines.add("  retry  " + (retryable ? "may help" : "does not help until something changes"));
        if (remedy != null && !remedy.isEmpty()) {
            lines.add("  next   " + remedy);
        }
        if (code != ErrorCode.USAGE) {
            lines.add((lines.size() == 3 ? "  next   " : "         ") + "penstock explain " + code.code());
        }
        return lines;
    }
}
