package io.penstock.bench.origin;

import io.penstock.bench.Quantities;
import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.Output;
import io.penstock.cache.config.Bandwidth;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code penstock bench origin}: runs an {@link OriginModel} until it is told to end, then prints its counters. */
@Command(
        name = "origin",
        description = "Run a model of an object store's network in front of an S3 server.",
        footer = {
            "",
            "Counters: GET /.origin-model/counters; POST /.origin-model/reset sets them to zero.",
            "They are printed on SIGTERM too."
        })
public final class OriginCommand implements Callable<Integer> {
    @Mixin
    private GlobalOptions global;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            defaultValue = "127.0.0.1:0",
            description = "default: ${DEFAULT-VALUE}")
    private String listen;

    @Option(names = "--to", paramLabel = "HOST:PORT", required = true, description = "the S3 server, plain HTTP")
    private String to;

    @Option(
            names = "--first-byte",
            paramLabel = "TIME",
            defaultValue = "20ms",
            converter = Quantities.Time.class,
            description = "least time from a request to the first byte of its answer; default: ${DEFAULT-VALUE}")
    private Duration firstByte;

    @Option(
            names = "--per-connection",
            paramLabel = "RATE",
            defaultValue = "60MB/s",
            converter = Quantities.Rate.class,
            description = "most of one connection, or unlimited; default: ${DEFAULT-VALUE}")
    private Bandwidth perConnection;

    @Option(
            names = "--link",
            paramLabel = "RATE",
            defaultValue = "250MB/s",
            converter = Quantities.Rate.class,
            description = "most of all connections together, or unlimited; default: ${DEFAULT-VALUE}")
    private Bandwidth link;

    @Option(
            names = "--burst",
            paramLabel = "TIME",
            defaultValue = "4ms",
            converter = Quantities.Time.class,
            description = "unused time that may be made up for; default: ${DEFAULT-VALUE}")
    private Duration burst;

    @Override
    public Integer call() throws Exception {
        Output output = global.output();
        OriginShape shape = new OriginShape(firstByte, perConnection, link, burst);
        CountDownLatch told = new CountDownLatch(1);
        try (OriginModel model = OriginModel.start(address(listen), address(to), shape)) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                output.raw(model.counters().toJson(shape));
                told.countDown();
            }));
            output.raw("{\"listening\":\"http://127.0.0.1:" + model.address().getPort() + "\"}");
            output.note("origin model: " + shape);
            told.await();
        }
        return 0;
    }

    private InetSocketAddress address(String text) {
        int colon = text.lastIndexOf(':');
        try {
            return new InetSocketAddress(
                    text.substring(0, Math.max(0, colon)), Integer.parseInt(text.substring(colon + 1)));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "'" + text + "' is not HOST:PORT", e);
        }
    }
}
