package io.penstock.bench.demo;

import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.Output;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code penstock bench serve}: an S3 server over a directory, until it is told to end. */
@Command(
        name = "serve",
        description = {
            "Serve a directory over S3: each directory in it is a prefix of the bucket 'models'.",
            "The keys that clients must sign with come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        })
public final class ServeCommand implements Callable<Integer> {
    @Mixin
    private GlobalOptions global;

    @Option(names = "--port", defaultValue = "0", description = "Port; default: any free one.")
    private int port;

    @Option(names = "--host", defaultValue = "127.0.0.1", description = "Address; default: ${DEFAULT-VALUE}.")
    private String host;

    @Parameters(paramLabel = "DIR", description = "Directory that holds the directory 'models'.")
    private Path directory;

    @Override
    public Integer call() throws Exception {
        Output output = global.output();
        Map<String, String> environment = System.getenv();
        String accessKey = required(environment, "AWS_ACCESS_KEY_ID");
        String secretKey = required(environment, "AWS_SECRET_ACCESS_KEY");
        try (ModelStore store = ModelStore.start(directory, new InetSocketAddress(host, port), accessKey, secretKey)) {
            try (Stream<Path> models = Files.list(directory.resolve(ModelStore.BUCKET))) {
                for (Path model : models.filter(Files::isDirectory).toList()) {
                    ModelStore.tag(model);
                }
            }
            output.raw("{\"listening\":\"http://" + host + ":" + store.address().getPort() + "\"}");
            new CountDownLatch(1).await();
        }
        return ErrorCode.Exit.DONE;
    }

    private static String required(Map<String, String> environment, String name) throws PenstockException {
        String value = environment.get(name);
        if (value == null || value.isEmpty()) {
            throw new PenstockException(ErrorCode.USAGE, name + " is not set", "Set the keys that clients sign with.");
        }
        return value;
    }
}
