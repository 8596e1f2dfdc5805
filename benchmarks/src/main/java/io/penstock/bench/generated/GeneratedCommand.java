package io.penstock.bench.generated;

import io.penstock.bench.Quantities;
import io.penstock.bench.checkpoint.Checkpoint;
import io.penstock.bench.checkpoint.Layout;
import io.penstock.bench.checkpoint.TensorBytes;
import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.Output;
import io.penstock.cache.command.Units;
import io.penstock.cache.config.DataSize;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code penstock bench generated}: serves a model that is nowhere, until it is told to end. */
@Command(
        name = "generated",
        description =
                "Serve a synthetic checkpoint (or many small objects) over S3 without storing it: bucket 'models'.")
public final class GeneratedCommand implements Callable<Integer> {
    private static final String BUCKET = "models";

    @Mixin
    private GlobalOptions global;

    @Option(names = "--port", defaultValue = "0", description = "Port; default: any free one.")
    private int port;

    @Option(names = "--host", defaultValue = "127.0.0.1", description = "Address; default: ${DEFAULT-VALUE}.")
    private String host;

    @Option(names = "--layout", defaultValue = "deepseek-v3", description = "Layout; default: ${DEFAULT-VALUE}.")
    private String layout;

    @Option(
            names = "--size",
            converter = Quantities.Size.class,
            description = "Bytes of all tensors; default: those of the published model.")
    private DataSize size;

    @Option(names = "--tensors", description = "About how many tensors; default: those of the published model.")
    private int tensors;

    @Option(names = "--objects", description = "Serve this many objects of 1 KiB instead, in directories of 100.")
    private int objects;

    @Override
    public Integer call() throws Exception {
        Output output = global.output();
        Map<String, GeneratedObject> content = objects > 0 ? small() : checkpoint();
        InetSocketAddress address = new InetSocketAddress(host, port);
        try (GeneratedBucket bucket = GeneratedBucket.start(address, BUCKET, content)) {
            long bytes =
                    content.values().stream().mapToLong(GeneratedObject::size).sum();
            output.raw("{\"listening\":\"http://127.0.0.1:" + bucket.address().getPort() + "\",\"objects\":"
                    + content.size() + ",\"bytes\":" + bytes + "}");
            output.note("s3://" + BUCKET + "/model: " + content.size() + " objects, " + Units.size(bytes));
            new CountDownLatch(1).await();
        }
        return 0;
    }

    private Map<String, GeneratedObject> checkpoint() {
        Layout chosen = Layout.byId(layout);
        Checkpoint checkpoint = size == null
                ? Checkpoint.real(chosen, 1)
                : Checkpoint.scaled(chosen, size.bytes(), tensors == 0 ? chosen.realTensors() : tensors, 1);
        Map<String, GeneratedObject> content = new TreeMap<>();
        checkpoint.objects().forEach((name, object) -> content.put("model/" + name, object));
        return content;
    }

    private Map<String, GeneratedObject> small() {
        Map<String, GeneratedObject> content = new TreeMap<>();
        for (int i = 0; i < objects; i++) {
            ByteBuffer bytes = ByteBuffer.allocate(1024);
            String name = String.format(Locale.ROOT, "model/part-%04d/object-%06d.bin", i / 100, i);
            new TensorBytes(1, name).fill(bytes, 0);
            content.put(name, new GeneratedBytes(bytes.flip()));
        }
        return content;
    }
}
