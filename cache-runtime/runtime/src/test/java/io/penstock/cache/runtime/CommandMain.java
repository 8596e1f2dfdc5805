package io.penstock.cache.runtime;

import io.penstock.cache.command.Commands;
import io.penstock.cache.command.Streams;
import io.penstock.cache.runtime.command.RuntimeCommands;
import java.util.Arrays;

/** The launcher's part for the commands of this module: what tests start as a process. */
public final class CommandMain {
    private CommandMain() {}

    public static void main(String[] args) {
        Object command = new RuntimeCommands()
                .commands().stream()
                        .filter(c -> c.name().equals(args[0]))
                        .findFirst()
                        .orElseThrow()
                        .maker()
                        .get();
        System.exit(Commands.run(args[0], command, Streams.ofProcess(), Arrays.copyOfRange(args, 1, args.length)));
    }
}
