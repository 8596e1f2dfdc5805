package io.penstock.cache.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FileTreesTest {
    @TempDir
    private Path dir;

    @Test
    void all_of_a_directory_goes_and_nothing_that_a_link_leads_to() throws IOException {
        Path kept = Files.createDirectories(dir.resolve("kept"));
        Files.writeString(kept.resolve("file"), "x");
        Path tree = Files.createDirectories(dir.resolve("tree/a/b"));
        Files.writeString(tree.resolve("file"), "x");
        Files.createSymbolicLink(tree.resolve("link"), kept);

        FileTrees.delete(dir.resolve("tree"));

        assertThat(dir.resolve("tree")).doesNotExist();
        assertThat(kept.resolve("file")).hasContent("x");
    }

    @Test
    void a_link_itself_goes() throws IOException {
        Path kept = Files.createDirectories(dir.resolve("kept"));
        Path link = Files.createSymbolicLink(dir.resolve("link"), kept);

        FileTrees.delete(link);

        assertThat(Files.exists(link, java.nio.file.LinkOption.NOFOLLOW_LINKS)).isFalse();
        assertThat(kept).isDirectory();
    }

    @Test
    void what_is_not_there_is_no_error() throws IOException {
        FileTrees.delete(dir.resolve("nothing"));

        assertThat(dir).isEmptyDirectory();
    }
}
