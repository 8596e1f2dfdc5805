package io.penstock.cli;

import io.penstock.bench.BenchCommands;
import io.penstock.cache.command.CommandEntry;
import io.penstock.cache.command.CommandEntry.Group;
import io.penstock.cache.command.CommandProvider;
import io.penstock.cache.runtime.command.RuntimeCommands;
import io.penstock.cli.node.NodeCommands;
import io.penstock.csi.command.CsiCommands;
import io.penstock.gpu.command.GpuCommands;
import io.penstock.operator.command.OperatorCommands;
import io.penstock.operator.plugin.PluginCommands;
import io.penstock.sidecar.command.SidecarCommands;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** The commands of all modules. Providers are named here, since looking for services opens every jar. */
final class Catalogue {
    private static final List<CommandProvider> PROVIDERS = List.of(
            new RuntimeCommands(),
            new SidecarCommands(),
            new NodeCommands(),
            new BenchCommands(),
            new OwnCommands(),
            new CsiCommands(),
            new GpuCommands(),
            new PluginCommands(),
            new OperatorCommands());

    private Catalogue() {}

    static Optional<CommandEntry> find(String name) {
        return all().stream().filter(e -> e.name().equals(name)).findFirst();
    }

    static List<CommandEntry> all() {
        return PROVIDERS.stream().flatMap(p -> p.commands().stream()).toList();
    }

    static List<CommandEntry> visible() {
        return all().stream()
                .filter(e -> !e.hidden())
                .sorted(Comparator.comparing(CommandEntry::group))
                .toList();
    }

    static List<String> help() {
        List<String> lines = new ArrayList<>();
        lines.add("Usage: penstock COMMAND [OPTIONS] ...");
        Group group = null;
        for (CommandEntry entry : visible()) {
            if (entry.group() != group) {
                group = entry.group();
                lines.add("");
                lines.add(group.title());
            }
            lines.add("  " + entry.name()
                    + " ".repeat(Math.max(1, 12 - entry.name().length())) + entry.summary());
        }
        lines.add("");
        lines.add("Options of a command: penstock COMMAND --help. Version: penstock --version.");
        return lines;
    }
}
