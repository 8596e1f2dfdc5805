package io.penstock.gpu.command;

import io.penstock.cache.command.CommandEntry;
import io.penstock.cache.command.CommandEntry.Group;
import io.penstock.cache.command.CommandProvider;
import java.util.List;

/** The command of this module. */
public final class GpuCommands implements CommandProvider {
    @Override
    public List<CommandEntry> commands() {
        return List.of(new CommandEntry(
                "load", Group.DATA, "Bring a model's tensors into the memory of a device", LoadCommand::new));
    }
}
