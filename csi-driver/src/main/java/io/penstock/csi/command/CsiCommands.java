package io.penstock.csi.command;

import io.penstock.cache.command.CommandEntry;
import io.penstock.cache.command.CommandEntry.Group;
import io.penstock.cache.command.CommandProvider;
import java.util.List;

/** The command of this module. */
public final class CsiCommands implements CommandProvider {
    @Override
    public List<CommandEntry> commands() {
        return List.of(
                new CommandEntry("csi", Group.SERVICE, "Run the CSI driver of a Kubernetes node", CsiCommand::new));
    }
}
