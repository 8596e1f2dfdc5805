package io.penstock.gpu.command;

import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.Output;
import io.penstock.cache.config.Config;
import io.penstock.cache.logs.Logs;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.gpu.device.Devices;
import io.penstock.gpu.plan.RankedModels;
import io.penstock.gpu.service.FileModels;
import io.penstock.gpu.service.LoaderService;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "serve",
        description = {
            "Runs the loader as a service, in the foreground: engines offer memory, the loader fills it.",
            "It reads files on behalf of root and of its own user, and of nobody else."
        })
final class ServeCommand implements Callable<Integer> {
    @Mixin
    private GlobalOptions global;

    @Option(names = "--socket", paramLabel = "PATH", description = "Where engines connect (loader.socket).")
    private Path socket;

    @Option(
            names = "--stdin",
            description = "Serves one engine, at the socket that is this process's standard input, and ends with it.")
    private boolean stdin;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Output output = global.output();
        Config config = global.config();
        Path path = socket == null ? config.find(LoaderKeys.SOCKET).orElse(null) : socket;
        if (path == null && !stdin) {
            throw new PenstockException(
                    ErrorCode.USAGE, "penstock load serve: where?", "penstock load serve --socket PATH");
        }
        Logs.toStderr(config);
        if (stdin) { // what it says is shown to a person only where it ends as it should not
            var _ = Logs.level("", "error");
        }
        try (Devices devices = Devices.all();
                LoaderService service =
                        new LoaderService(devices, new RankedModels(new FileModels()), LoaderKeys.options(config))) {
            if (stdin) {
                service.serve(LoaderService.inherited(0));
                return ErrorCode.Exit.DONE;
            }
            service.listen(path.toAbsolutePath());
            output.note("device: " + devices.description());
            output.note("serving at " + path);
            new CountDownLatch(1).await(); // until somebody ends this process
            return ErrorCode.Exit.DONE;
        }
    }
}
