package io.penstock.csi;

import io.penstock.cache.command.CommandEntry;
import io.penstock.cache.command.Commands;
import io.penstock.cache.command.Streams;
import io.penstock.cache.runtime.command.RuntimeCommands;
import io.penstock.csi.command.CsiCommands;
import java.util.Arrays;
import java.util.stream.Stream;

/** The launcher's part for driver and daemon: what tests start as processes. */
public final class ProcessMain {
    private ProcessMain() {}

    public static void main(String[] args) {
        CommandEntry entry = Stream.of(new CsiCommands(), new RuntimeCommands())
                .flatMap(p -> p.commands().stream())
                .filter(c -> c.name().equals(args[0]))
                .findFirst()
                .orElseThrow();
        Object command = entry.maker().get();
        System.exit(Commands.run(args[0], command, Streams.ofProcess(), Arrays.copyOfRange(args, 1, args.length)));
    }
}
