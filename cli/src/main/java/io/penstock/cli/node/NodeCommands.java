package io.penstock.cli.node;

import io.penstock.cache.command.CommandEntry;
import io.penstock.cache.command.CommandEntry.Group;
import io.penstock.cache.command.CommandProvider;
import java.util.List;

/** The commands of this package. */
public final class NodeCommands implements CommandProvider {
    @Override
    public List<CommandEntry> commands() {
        return List.of(
                new CommandEntry("prefetch", Group.DATA, "Fetch a model before anybody reads it", PrefetchCommand::new),
                new CommandEntry("status", Group.HELP, "What this node does now", StatusCommand::new),
                new CommandEntry("ls", Group.CACHE, "Snapshots on this node", ListCommand::new),
                new CommandEntry("rm", Group.CACHE, "Remove a snapshot and its bytes", RemoveCommand::new),
                new CommandEntry("gc", Group.CACHE, "Remove bytes that no snapshot needs", GarbageCommand::new),
                new CommandEntry(
                        "verify", Group.CACHE, "Read every stored byte against its checksum", VerifyCommand::new));
    }
}
