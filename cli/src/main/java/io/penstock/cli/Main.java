package io.penstock.cli;

import io.penstock.cache.command.CommandEntry;
import io.penstock.cache.command.Commands;
import io.penstock.cache.command.Streams;
import io.penstock.cache.config.Unknown;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.model.Version;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** {@code penstock COMMAND ...}: finds the command and makes only that one. */
public final class Main {
    private Main() {}

    public static void main(String[] args) {
        System.exit(run(Streams.ofProcess(), args));
    }

    /** Runs one command line and gives its exit status. */
    static int run(Streams streams, String... args) {
        String first = args.length == 0 ? "--help" : args[0];
        if (first.equals("--version") || first.equals("-V")) {
            streams.out().println("penstock " + Version.current());
            return ErrorCode.Exit.DONE;
        }
        if (first.equals("--help") || first.equals("-h") || (first.equals("help") && args.length == 1)) {
            Catalogue.help().forEach(streams.out()::println);
            return ErrorCode.Exit.DONE;
        }
        if (first.equals("help")) {
            return run(streams, args[1], "--help");
        }
        Optional<CommandEntry> entry = Catalogue.find(first);
        if (entry.isEmpty()) {
            return Commands.tell(unknown(first), streams, null);
        }
        return Commands.run(
                entry.get().name(), entry.get().maker().get(), streams, Arrays.copyOfRange(args, 1, args.length));
    }

    private static PenstockException unknown(String word) {
        String what = word.startsWith("-")
                ? "an option stands before the command: " + word
                : "there is no command '" + word + "'";
        List<String> names =
                Catalogue.visible().stream().map(CommandEntry::name).toList();
        String near = word.startsWith("-")
                ? ""
                : Unknown.nearest(word, names)
                        .map(n -> "Did you mean " + n + "? ")
                        .orElse("");
        return new PenstockException(ErrorCode.USAGE, what, near + "All commands: penstock --help");
    }
}
