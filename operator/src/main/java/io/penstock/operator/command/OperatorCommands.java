package io.penstock.operator.command;

import io.penstock.cache.command.CommandEntry;
import io.penstock.cache.command.CommandEntry.Group;
import io.penstock.cache.command.CommandProvider;
import java.util.List;

/**
 * The commands of this package. Lambdas, as a reference to a constructor loads the class with all that it needs, which most
 * commands do not have on their class path.
 */
public final class OperatorCommands implements CommandProvider {
    @Override
    public List<CommandEntry> commands() {
        return List.of(
                new CommandEntry(
                        "operator",
                        Group.SERVICE,
                        "Run the operator of a Kubernetes cluster",
                        () -> new OperatorCommand()),
                new CommandEntry(
                        "convert", Group.HELP, "Turn Fluid's objects into Penstock's", () -> new ConvertCommand()));
    }
}
