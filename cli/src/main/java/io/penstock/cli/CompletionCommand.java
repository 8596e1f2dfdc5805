package io.penstock.cli;

import io.penstock.cache.command.CommandEntry;
import io.penstock.cache.command.Commands;
import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.model.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Parameters;

@Command(name = "completion", description = "Writes a completion script: source <(penstock completion bash)")
final class CompletionCommand implements Callable<Integer> {
    private enum Shell {
        BASH,
        ZSH,
        FISH
    }

    @Mixin
    private GlobalOptions global;

    @Parameters(paramLabel = "bash|zsh|fish", description = "The shell.")
    private Shell shell;

    @Override
    public Integer call() {
        String script = switch (shell) {
            case BASH -> AutoComplete.bash("penstock", root());
            case ZSH ->
                "autoload -U +X compinit && compinit -u\nautoload -U +X bashcompinit && bashcompinit\n"
                        + AutoComplete.bash("penstock", root());
            case FISH -> fish(root());
        };
        global.output().raw(script.stripTrailing());
        return ErrorCode.Exit.DONE;
    }

    @Command(name = "penstock")
    private static final class Root {}

    private CommandLine root() {
        CommandLine root = new CommandLine(new Root());
        for (CommandEntry entry : Catalogue.visible()) {
            root.addSubcommand(
                    entry.name(),
                    Commands.parser(
                            entry.name(), entry.maker().get(), global.output().streams()));
        }
        return root;
    }

    private static String fish(CommandLine root) {
        List<String> lines = new ArrayList<>();
        lines.add("complete -c penstock -f");
        for (Map.Entry<String, CommandLine> command : new TreeMap<>(root.getSubcommands()).entrySet()) {
            String seen = "__fish_seen_subcommand_from " + command.getKey();
            lines.add("complete -c penstock -n __fish_use_subcommand -a %s -d '%s'"
                    .formatted(command.getKey(), summary(command.getValue())));
            options(seen, command.getValue(), lines);
            command.getValue().getSubcommands().forEach((name, sub) -> {
                lines.add("complete -c penstock -n '%s' -a %s".formatted(seen, name));
                options(seen + "; and __fish_seen_subcommand_from " + name, sub, lines);
            });
        }
        return String.join("\n", lines);
    }

    private static void options(String condition, CommandLine command, List<String> lines) {
        command.getCommandSpec().options().forEach(o -> lines.add(fishOption(condition, o)));
    }

    private static String summary(CommandLine command) {
        return quoted(String.join(" ", command.getCommandSpec().usageMessage().description()));
    }

    private static String fishOption(String condition, OptionSpec option) {
        StringBuilder line = new StringBuilder("complete -c penstock -n '" + condition + "'");
        for (String name : option.names()) {
            line.append(name.startsWith("--") ? " -l " + name.substring(2) : " -s " + name.substring(1));
        }
        line.append(option.arity().max() > 0 ? " -r -F" : "");
        return line.append(" -d '")
                .append(quoted(String.join(" ", option.description())))
                .append('\'')
                .toString();
    }

    private static String quoted(String text) {
        return text.replace("'", "\\'");
    }
}
