package io.penstock.cache.command;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import picocli.CommandLine.Option;

/** The options of commands that delete; a picocli mixin. */
public final class Consent {
    @Option(names = "--dry-run", description = "Only says what would be done.")
    private boolean dryRun;

    @Option(
            names = {"-y", "--yes"},
            description = "Does not ask.")
    private boolean yes;

    public boolean dryRun() {
        return dryRun;
    }

    /**
     * Asks the person, unless {@code --yes} was given.
     *
     * @throws PenstockException when there is nobody to ask
     */
    public boolean given(Output output, String question) throws IOException {
        if (yes) {
            return true;
        }
        Streams streams = output.streams();
        if (!streams.inTerminal() || !streams.errTerminal()) {
            throw new PenstockException(
                    ErrorCode.USAGE,
                    "this deletes, and there is no terminal to ask on",
                    "Add --yes to go on, or --dry-run to see what would be deleted.");
        }
        streams.err().print(question + " [y/N] ");
        streams.err().flush();
        String answer = streams.in().readLine();
        return answer != null && (answer.strip().equals("y") || answer.strip().equals("yes"));
    }
}
