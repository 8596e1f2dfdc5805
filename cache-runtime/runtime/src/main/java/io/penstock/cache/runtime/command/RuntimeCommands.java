package io.penstock.cache.runtime.command;

import io.penstock.cache.command.CommandEntry;
import io.penstock.cache.command.CommandEntry.Group;
import io.penstock.cache.command.CommandProvider;
import java.util.List;

/** The commands of this package. */
public final class RuntimeCommands implements CommandProvider {
    @Override
    public List<CommandEntry> commands() {
        return List.of(
                new CommandEntry("mount", Group.DATA, "Mount a model, to be read at once", MountCommand::new),
                new CommandEntry("unmount", Group.DATA, "End a mount", UnmountCommand::new),
                new CommandEntry("daemon", Group.SERVICE, "Run the daemon of this node", DaemonCommand::new));
    }
}
