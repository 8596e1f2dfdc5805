package io.penstock.operator.plugin;

import io.penstock.cache.command.CommandEntry;
import io.penstock.cache.command.CommandEntry.Group;
import io.penstock.cache.command.CommandProvider;
import java.util.List;

/** The command behind {@code kubectl penstock}. */
public final class PluginCommands implements CommandProvider {
    @Override
    public List<CommandEntry> commands() {
        return List.of(new CommandEntry(
                "kube", Group.HELP, "Look at Penstock in a Kubernetes cluster (kubectl penstock)", KubeCommand::new));
    }
}
