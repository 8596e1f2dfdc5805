package io.penstock.cache.source.file;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.model.Entry;
import io.penstock.cache.source.Source;
import io.penstock.cache.source.SourceContract;
import io.penstock.cache.source.Sources;
import io.penstock.cache.source.TestOrigin;
import io.penstock.cache.source.net.NetOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileSourceTest extends SourceContract {
    @TempDir
    private Path directory;

    @Override
    protected TestOrigin origin() {
        return new Directory(directory);
    }

    @Test
    void linksAreFollowedAndCyclesLeftOut() throws Exception {
        Path blobs = Files.createDirectories(directory.resolve("blobs"));
        Files.writeString(blobs.resolve("abc"), "weights");
        Path model = Files.createDirectories(directory.resolve("model"));
        Files.createSymbolicLink(model.resolve("model.safetensors"), Path.of("../blobs/abc"));
        Files.createSymbolicLink(model.resolve("again"), Path.of("../model"));
        Files.createSymbolicLink(model.resolve("dangling"), Path.of("nothing"));

        try (Source source = new FileSource(model)) {
            assertThat(list(source)).extracting(Entry::path).containsExactly("model.safetensors");
            assertThat(read(source, only(source), 0, 7))
                    .isEqualTo("weights".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }
    }

    @Test
    void aLocationIsAPathOrAnEncodedAddress() throws Exception {
        Path odd = Files.createDirectories(directory.resolve("a b%20"));
        Files.writeString(odd.resolve("x"), "1");

        try (Sources sources = new Sources(NetOptions.DEFAULT, 1);
                Source plain = sources.open(odd.toString(), Map.of(), Map.of());
                Source encoded = sources.open("file://" + directory + "/a%20b%2520", Map.of(), Map.of())) {
            assertThat(list(plain)).isEqualTo(list(encoded)).hasSize(1);
        }
    }

    private record Directory(Path root) implements TestOrigin {
        @Override
        public void put(String key, byte[] content) throws IOException {
            Path file = root.resolve(key);
            Files.createDirectories(file.getParent());
            Path fresh = Files.createTempFile(root, ".new", "");
            Files.write(fresh, content);
            Files.move(fresh, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        }

        @Override
        public void remove(String key) throws IOException {
            Files.delete(root.resolve(key));
        }

        @Override
        public Source open(String key) {
            return new FileSource(root.resolve(key));
        }

        @Override
        public void close() {}
    }
}
