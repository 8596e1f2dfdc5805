package io.penstock.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.penstock.cache.command.CommandEntry;
import io.penstock.cache.command.Streams;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cli.node.Rehearsal;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** What the launcher runs once to record which classes a family of commands needs (JDK 25 AOT cache). */
@Command(name = "train", description = "Does what a family of commands does, for the AOT cache of their JVM.")
final class TrainCommand implements Callable<Integer> {
    private enum Family {
        CLIENT,
        HOLDER,
        DAEMON,
        LOADER
    }

    @Parameters(paramLabel = "client|holder|daemon|loader")
    private Family family;

    @Override
    public Integer call() throws IOException, InterruptedException {
        switch (family) {
            case CLIENT -> client();
            case HOLDER -> {
                help("mount", "unmount");
                HolderRehearsal.run(TrainCommand::run);
            }
            case DAEMON -> io.penstock.cache.runtime.Rehearsal.daemon();
            case LOADER -> io.penstock.gpu.command.Rehearsal.run(TrainCommand::run);
        }
        return ErrorCode.Exit.DONE;
    }

    private static void client() throws IOException {
        run("--version");
        run("--help");
        run("explain", "PEN-0402");
        run("config", "show", "--origin");
        help("status", "ls", "prefetch");
        try (Rehearsal daemon = Rehearsal.start()) {
            for (String form : new String[] {"table", "json"}) {
                for (String command : new String[] {"status", "ls", "verify"}) {
                    run(
                            command,
                            "-o",
                            form,
                            "--state-dir",
                            daemon.stateDirectory().toString());
                }
                run(
                        "prefetch",
                        "s3://a/b",
                        "-o",
                        form,
                        "--state-dir",
                        daemon.stateDirectory().toString());
            }
            run("rm", "none", "--state-dir", daemon.stateDirectory().toString());
            run("doctor", "--state-dir", daemon.stateDirectory().toString());
        }
        run("status", "--state-dir", "/nonexistent");
    }

    private static void help(String... commands) {
        for (String command : commands) {
            if (Catalogue.find(command).map(CommandEntry::name).isPresent()) {
                run(command, "--help");
            }
        }
    }

    private static void run(String... args) {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        int status = Main.run(Streams.of(said, said), args);
        if (status != ErrorCode.Exit.DONE) {
            System.err.printf("%s: exit %d%n%s%n", String.join(" ", args), status, said.toString(UTF_8));
        }
    }
}
