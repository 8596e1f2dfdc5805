package io.penstock.gpu.catalogue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowFileReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArrowFileTest {
    private static final long SEED = Long.getLong("penstock.test.seed", System.nanoTime());

    @TempDir
    private Path directory;

    @Test
    void what_is_read_is_what_was_written_however_many_rows() throws IOException {
        System.out.println("seed " + SEED);
        Random random = new Random(SEED);
        for (int count : new int[] {0, 1, 20_000}) {
            List<Entry> entries = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                List<Long> shape = random.longs(random.nextInt(5), 0, Long.MAX_VALUE)
                        .boxed()
                        .toList();
                String name = switch (random.nextInt(3)) {
                    case 0 -> "model.layers." + random.nextInt(99) + ".mlp.experts." + i + ".w1.weight";
                    case 1 -> "model.layers." + i + ".self_attn.q_proj.weight";
                    default -> "größe." + i + "\u0000\t😀" + "x".repeat(random.nextInt(2000));
                };
                entries.add(new Entry(name, "F8_E4M3", shape, "a/b-" + i % 7, random.nextLong(1L << 62), i));
            }
            Path file = directory.resolve("catalogue.arrow");
            ArrowFile.write(entries, file);
            List<String> rows = read(file);
            assertThat(rows).hasSize(count);
            for (int i = 0; i < count; i++) {
                assertThat(rows.get(i)).isEqualTo(row(entries.get(i)));
            }
            assertThat(directory).isDirectoryNotContaining(f -> !f.equals(file));
        }
    }

    @Test
    void a_name_of_any_length_fits() throws IOException {
        Entry entry = new Entry("n".repeat(3_000_000), "U8", List.of(), "f", 8, 1);
        Path file = directory.resolve("catalogue.arrow");
        ArrowFile.write(List.of(entry, entry), file);
        assertThat(read(file).stream().filter(row -> row.equals(row(entry))).count())
                .isEqualTo(2);
    }

    @Test
    void a_file_that_cannot_be_written_is_named_and_what_was_there_stays() throws IOException {
        assertThatThrownBy(() -> ArrowFile.write(List.of(), directory.resolve("missing/c.arrow")))
                .isInstanceOf(PenstockException.class)
                .hasMessageContaining("missing/c.arrow cannot be written");
        Path file = Files.writeString(directory.resolve("c.arrow"), "old");
        Iterable<Entry> failing = () -> {
            throw new IllegalStateException("no more");
        };
        assertThatThrownBy(() -> ArrowFile.write(failing, file)).hasMessage("no more");
        assertThat(directory).isDirectoryNotContaining(f -> !f.equals(file));
        assertThat(file).hasContent("old");
    }

    private static String row(Entry e) {
        Place place = Place.of(e.name());
        return List.of(e.name(), e.dtype(), e.shape(), e.file(), e.offset(), e.length()) + " "
                + (place.layer() < 0 ? null : place.layer()) + " " + (place.expert() < 0 ? null : place.expert()) + " "
                + place.role().id();
    }

    private static List<String> read(Path file) throws IOException {
        List<String> rows = new ArrayList<>();
        try (RootAllocator allocator = new RootAllocator();
                FileChannel channel = FileChannel.open(file);
                ArrowFileReader reader = new ArrowFileReader(channel, allocator)) {
            VectorSchemaRoot root = reader.getVectorSchemaRoot();
            assertThat(root.getSchema().getCustomMetadata()).containsEntry("penstock.catalogue", "1");
            while (reader.loadNextBatch()) {
                for (int i = 0; i < root.getRowCount(); i++) {
                    List<Object> row = new ArrayList<>();
                    for (String column : List.of("name", "dtype", "shape", "file", "offset", "length")) {
                        Object value = root.getVector(column).getObject(i);
                        row.add(value instanceof List<?> list ? new ArrayList<>(list) : value.toString());
                    }
                    rows.add(row + " " + root.getVector("layer").getObject(i) + " "
                            + root.getVector("expert").getObject(i) + " "
                            + root.getVector("role").getObject(i));
                }
            }
        }
        return rows;
    }
}
