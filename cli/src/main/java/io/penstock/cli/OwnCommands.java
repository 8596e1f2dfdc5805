package io.penstock.cli;

import io.penstock.cache.command.CommandEntry;
import io.penstock.cache.command.CommandEntry.Group;
import io.penstock.cache.command.CommandProvider;
import io.penstock.cli.doctor.DoctorCommand;
import java.util.List;

/** The commands of this module. */
final class OwnCommands implements CommandProvider {
    @Override
    public List<CommandEntry> commands() {
        return List.of(
                new CommandEntry(
                        "doctor", Group.HELP, "What is wrong on this node, and how to mend it", DoctorCommand::new),
                new CommandEntry(
                        "explain", Group.HELP, "What an error code means, and what to do", ExplainCommand::new),
                new CommandEntry(
                        "config", Group.HELP, "Every setting, and where its value comes from", ConfigCommand::new),
                new CommandEntry(
                        "completion", Group.HELP, "A completion script for bash, zsh or fish", CompletionCommand::new),
                new CommandEntry("docs", Group.HELP, "", DocsCommand::new),
                new CommandEntry("train", Group.HELP, "", TrainCommand::new));
    }
}
