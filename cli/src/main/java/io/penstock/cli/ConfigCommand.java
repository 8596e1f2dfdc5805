package io.penstock.cli;

import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.Output;
import io.penstock.cache.command.Table;
import io.penstock.cache.config.Setting;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "config",
        description = "The configuration.",
        subcommands = ConfigCommand.Show.class,
        synopsisSubcommandLabel = "COMMAND")
final class ConfigCommand {

    @Command(name = "show", description = "Every key with its value. Secrets are masked.")
    static final class Show implements Callable<Integer> {
        @Mixin
        private GlobalOptions global;

        @Option(names = "--origin", description = "Also where each value comes from.")
        private boolean origin;

        @Parameters(arity = "0..*", paramLabel = "PREFIX", description = "Only keys that begin so.")
        private List<String> prefixes = List.of();

        @Override
        public Integer call() throws PenstockException {
            Output output = global.output();
            List<Setting> settings = global.config().settings().stream()
                    .filter(s -> prefixes.isEmpty()
                            || prefixes.stream().anyMatch(s.key().name()::startsWith))
                    .toList();
            output.result(
                    "ConfigShow",
                    () -> Map.of("items", settings.stream().map(Show::fields).toList()),
                    () -> settings.stream().map(s -> s.key().name()).toList(),
                    () -> table(settings, origin || output.wide()).lines(output.wide()));
            return ErrorCode.Exit.DONE;
        }

        private static Table table(List<Setting> settings, boolean origin) {
            Table table = new Table().column("KEY").column("VALUE");
            if (origin) {
                table.column("FROM");
            }
            table.wide("MEANS");
            for (Setting s : settings) {
                if (origin) {
                    table.row(s.key().name(), s.shown(), s.origin(), s.key().description());
                } else {
                    table.row(s.key().name(), s.shown(), s.key().description());
                }
            }
            return table;
        }

        private static Map<String, Object> fields(Setting s) {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("key", s.key().name());
            fields.put("value", s.shown());
            fields.put("origin", s.origin().kind().toString().toLowerCase(java.util.Locale.ROOT));
            fields.put("place", s.origin().place());
            fields.put("secret", s.key().isSecret());
            return fields;
        }
    }
}
