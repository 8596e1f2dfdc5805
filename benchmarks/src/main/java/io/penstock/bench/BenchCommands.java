package io.penstock.bench;

import io.penstock.bench.demo.DemoCommand;
import io.penstock.cache.command.CommandEntry;
import io.penstock.cache.command.CommandEntry.Group;
import io.penstock.cache.command.CommandProvider;
import java.util.List;

/** The commands of this module. */
public final class BenchCommands implements CommandProvider {
    @Override
    public List<CommandEntry> commands() {
        return List.of(
                new CommandEntry(
                        "demo",
                        Group.TRY,
                        "A cold start as today, then with Penstock, on this machine",
                        DemoCommand::new),
                new CommandEntry("bench", Group.TRY, "What the measurements are made with", BenchCommand::new));
    }
}
