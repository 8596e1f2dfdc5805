package io.penstock.sidecar.command;

import io.penstock.cache.command.CommandEntry;
import io.penstock.cache.command.CommandEntry.Group;
import io.penstock.cache.command.CommandProvider;
import java.util.List;

/** The command of this module. */
public final class SidecarCommands implements CommandProvider {
    @Override
    public List<CommandEntry> commands() {
        return List.of(new CommandEntry("sidecar", Group.SERVICE, "Prefetch for an engine's pod", SidecarCommand::new));
    }
}
