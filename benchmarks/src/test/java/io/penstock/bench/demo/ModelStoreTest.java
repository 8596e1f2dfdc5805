package io.penstock.bench.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.bench.checkpoint.Checkpoint;
import io.penstock.bench.checkpoint.Layout;
import io.penstock.bench.origin.OriginModel;
import io.penstock.bench.origin.OriginShape;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelStoreTest {
    private static final Checkpoint CHECKPOINT = Checkpoint.scaled(Layout.DEEPSEEK_V3, 24 << 20, 800, 1);

    @TempDir
    private Path temp;

    @Test
    void aModelReadOnDemandThroughTheOriginModelHasTheRightTensors() throws Exception {
        try (ModelStore store = ModelStore.start(temp.resolve("s3"))) {
            Model model = Model.synthetic(CHECKPOINT, store.directory("m"));
            ModelStore.tag(store.directory("m"));
            InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
            try (OriginModel origin = OriginModel.start(any, store.address(), OriginShape.UNSHAPED);
                    SignedConnection connection =
                            new SignedConnection(origin.address(), store.accessKey(), store.secretKey())) {
                Run.Recorder recorder = new Run.Recorder();
                OnDemandReader.read(model, connection, ModelStore.BUCKET + "/m/", recorder);
                Run run = recorder.finish(
                        "today",
                        "",
                        origin.counters().bodyBytes(),
                        origin.counters().requestCount());
                assertThat(run.tensors()).isEqualTo(CHECKPOINT.tensorCount()).isEqualTo(model.tensors());
                assertThat(run.originBytes()).isEqualTo(model.bytes());
                assertThat(run.firstTensor()).isBetween(run.firstByte(), run.end());
            }
        }
    }

    @Test
    void aWrongKeyIsRefused() throws Exception {
        try (ModelStore store = ModelStore.start(temp.resolve("s3"))) {
            Model.synthetic(CHECKPOINT, store.directory("m"));
            try (SignedConnection connection = new SignedConnection(store.address(), store.accessKey(), "wrong")) {
                assertThatThrownBy(() -> connection.get("models/m/config.json", 0, ByteBuffer.allocate(10)))
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("403");
            }
        }
    }

    @Test
    void aFlippedBitIsFoundInTheTensorThatHoldsIt() throws Exception {
        Path directory = temp.resolve("m");
        Model model = Model.synthetic(CHECKPOINT, directory);
        Path plan = temp.resolve("plan");
        ReadPlan.write(model, plan);
        assertThat(ReadPlan.read(plan)).isEqualTo(model.files());
        List<String> told = new ArrayList<>();
        MountReader.read(model.files(), directory, listener(told));
        assertThat(told)
                .hasSize(2 * model.files().size()
                        + model.tensors()
                        + model.files().size()
                        - shards(model));

        Model.ModelFile shard = model.files().getLast();
        Model.Part part = shard.parts().get(3);
        try (RandomAccessFile file =
                new RandomAccessFile(directory.resolve(shard.name()).toFile(), "rw")) {
            file.seek(part.offset());
            int value = file.read();
            file.seek(part.offset());
            file.write(value ^ 1);
        }
        assertThatThrownBy(() -> MountReader.read(model.files(), directory, listener(told)))
                .hasMessageContaining(part.name());
    }

    private static int shards(Model model) {
        return (int) model.files().stream().filter(Model.ModelFile::shard).count();
    }

    private static MountReader.Listener listener(List<String> told) {
        return new MountReader.Listener() {
            @Override
            public void began(Model.ModelFile file) {
                told.add(file.name());
            }

            @Override
            public void verified(Model.ModelFile file, Model.Part part) {
                told.add(part.name());
            }

            @Override
            public void ended(Model.ModelFile file) {
                told.add(file.name());
            }
        };
    }
}
