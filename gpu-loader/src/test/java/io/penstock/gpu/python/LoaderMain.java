package io.penstock.gpu.python;

import io.penstock.cache.command.CommandEntry;
import io.penstock.cache.command.Commands;
import io.penstock.cache.command.Streams;
import io.penstock.gpu.command.GpuCommands;
import java.util.Arrays;

/** {@code penstock load} without the rest of Penstock. */
final class LoaderMain {
    private LoaderMain() {}

    public static void main(String[] args) {
        CommandEntry load = new GpuCommands().commands().getFirst();
        Object command = load.maker().get();
        System.exit(Commands.run(load.name(), command, Streams.ofProcess(), Arrays.copyOfRange(args, 1, args.length)));
    }
}
