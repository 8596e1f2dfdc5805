package io.penstock.bench.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class CheckpointTest {
    @ParameterizedTest
    @CsvSource({
        "DEEPSEEK_V3,   91991, 163, 688.57e9",
        "LLAMA_3_70B,     723,  30, 141.11e9",
        "QWEN3_30B_A3B, 18867,  16,  61.06e9"
    })
    void atFullSizeTensorsShardsAndBytesAreThePublishedOnes(Layout layout, int tensors, int shards, double bytes) {
        Checkpoint real = Checkpoint.real(layout, 1);
        assertThat(real.tensorCount()).isEqualTo(tensors);
        assertThat(real.shards()).hasSize(shards);
        assertThat((double) real.tensorBytes()).isCloseTo(bytes, within(bytes * 0.0002));
    }

    @Test
    void aDeepSeekShardHoldsScalesBeforeWeightsAndAHeaderOfTheUsualSize() {
        Checkpoint scaled = Checkpoint.scaled(Layout.DEEPSEEK_V3, 2L << 30, 7000, 1);
        assertThat(scaled.tensorCount()).isBetween(6900, 7100);
        assertThat(scaled.tensorBytes()).isBetween((2L << 30) - 100_000, 2L << 30);
        Shard shard = scaled.shards().get(5);
        assertThat(shard.name()).isEqualTo("model-00006-of-000012.safetensors");
        assertThat(shard.header().remaining()).isBetween(60_000, 90_000);
        List<Dtype> dtypes = shard.tensors().stream().map(TensorSpec::dtype).toList();
        assertThat(dtypes).isSorted().contains(Dtype.F32, Dtype.BF16, Dtype.F8_E4M3);
        assertThat(shard.tensors().stream()
                        .filter(t -> t.dtype() == Dtype.F8_E4M3)
                        .map(TensorSpec::name))
                .isSorted();
    }

    @ParameterizedTest
    @EnumSource(Layout.class)
    void whatIsWrittenReadsAsTheDigestsSay(Layout layout, @TempDir Path temp) throws IOException {
        Path directory = temp.resolve("model");
        Checkpoint checkpoint = Checkpoint.scaled(layout, 24 << 20, 700, 7);
        Map<String, TensorDigest> digests = CheckpointWriter.write(checkpoint, directory);
        assertThat(digests).hasSize(checkpoint.tensorCount());
        assertThat(CheckpointWriter.digestFile(directory)).isNotEmptyFile();
        assertThat(directory.resolve("config.json")).isNotEmptyFile();
        for (Shard shard : checkpoint.shards()) {
            Path file = directory.resolve(shard.name());
            assertThat(file).hasSize(shard.bytes());
            for (var tensor : Tensors.of(file)) {
                TensorDigest digest = digests.get(tensor.name());
                assertThat(tensor.offset()).isEqualTo(digest.offset());
                ByteBuffer bytes = read(file, tensor.offset(), tensor.length());
                assertThat(TensorDigest.wordSum(bytes)).isEqualTo(digest.sum64());
                CRC32 crc = new CRC32();
                crc.update(bytes);
                assertThat(crc.getValue()).isEqualTo(digest.crc32());
            }
        }
    }

    @Test
    void theSameSeedGivesTheSameFilesAndAnotherSeedOthers(@TempDir Path temp) throws IOException {
        for (String name : List.of("a", "b", "c")) {
            Checkpoint checkpoint = Checkpoint.scaled(Layout.LLAMA_3_70B, 4 << 20, 100, name.equals("c") ? 2 : 1);
            CheckpointWriter.write(checkpoint, temp.resolve(name));
        }
        String shard = "model-00001-of-00004.safetensors";
        assertThat(Files.mismatch(
                        temp.resolve("a").resolve(shard), temp.resolve("b").resolve(shard)))
                .isEqualTo(-1);
        assertThat(Files.mismatch(
                        temp.resolve("a").resolve(shard), temp.resolve("c").resolve(shard)))
                .isPositive();
    }

    @Test
    void anyRangeOfATensorIsMadeWithoutWhatLiesBeforeIt() {
        TensorBytes bytes = new TensorBytes(3, "w");
        ByteBuffer whole = ByteBuffer.allocate(100);
        bytes.fill(whole, 0);
        for (int from = 0; from < 30; from++) {
            ByteBuffer part = ByteBuffer.allocate(41);
            bytes.fill(part, from);
            assertThat(part.flip()).isEqualTo(whole.slice(from, 41));
        }
    }

    private static ByteBuffer read(Path file, long offset, long length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(length));
        try (FileChannel channel = FileChannel.open(file)) {
            while (bytes.hasRemaining() && channel.read(bytes, offset + bytes.position()) > 0) {}
        }
        return bytes.flip();
    }
}
