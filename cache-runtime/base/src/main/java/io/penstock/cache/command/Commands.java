package io.penstock.cache.command;

import io.penstock.cache.model.ErrorCode;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine;

/** Runs one command under the conventions. */
public final class Commands {
    private Commands() {}

    /**
     * Parses, runs, and tells errors.
     *
     * @param name as typed, without {@code penstock}
     * @param command a picocli command: a {@code Callable<Integer>} with a {@link GlobalOptions} mixin
     * @return the exit status
     */
    public static int run(String name, Object command, Streams streams, String... args) {
        CommandLine line = parser(name, command, streams);
        return line.execute(args);
    }

    /** The parser of one command. */
    public static CommandLine parser(String name, Object command, Streams streams) {
        CommandLine line = new CommandLine(command)
                .setCommandName("penstock " + name)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setAbbreviatedOptionsAllowed(false)
                .setExecutionStrategy(parsed -> execute(parsed, streams));
        prepare(line, streams);
        line.setParameterExceptionHandler((e, args) -> tell(e, streams, globals(e.getCommandLine())));
        line.setExecutionExceptionHandler((e, failed, parsed) -> tell(e, streams, globals(failed)));
        return line;
    }

    private static void prepare(CommandLine line, Streams streams) {
        GlobalOptions globals = globals(line);
        if (globals != null) {
            globals.streams(streams);
        }
        if (line.getCommandSpec().findOption("--help") == null) {
            line.getCommandSpec()
                    .addOption(CommandLine.Model.OptionSpec.builder("-h", "--help")
                            .usageHelp(true)
                            .description("What this command does, and its options.")
                            .build());
        }
        line.getSubcommands().values().forEach(sub -> prepare(sub, streams));
    }

    private static int execute(CommandLine.ParseResult parsed, Streams streams) {
        for (CommandLine.ParseResult p = parsed; p != null; p = p.subcommand()) {
            if (p.isUsageHelpRequested()) {
                p.commandSpec().commandLine().usage(streams.out());
                return ErrorCode.Exit.DONE;
            }
        }
        return new CommandLine.RunLast().execute(parsed);
    }

    private static GlobalOptions globals(CommandLine line) {
        for (CommandLine.Model.CommandSpec mixin :
                line.getCommandSpec().mixins().values()) {
            if (mixin.userObject() instanceof GlobalOptions globals) {
                return globals;
            }
        }
        return null;
    }

    /** Tells an error and gives its exit status. */
    public static int tell(Throwable error, Streams streams, GlobalOptions globals) {
        Failure failure = Failure.of(error);
        Output output = globals == null ? null : globals.output();
        if (output != null && output.format().structured()) {
            streams.err().println(Document.json("Error", fields(failure)));
        } else {
            failure.lines().forEach(streams.err()::println);
        }
        if (output != null && output.verbose()) {
            error.printStackTrace(streams.err());
        }
        return failure.code().exit();
    }

    private static Map<String, Object> fields(Failure failure) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("code", failure.code().code());
        fields.put("title", failure.code().title());
        fields.put("message", failure.what());
        fields.put("retryable", failure.retryable());
        fields.put("remedy", failure.remedy());
        fields.put("exit", failure.code().exit());
        return fields;
    }
}
