package io.penstock.cache.mount;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.model.Snapshot;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class TreeTest {
    @Test
    void findsEveryEntryAndItsDirectories() {
        Tree tree = tree("b", "a/x", "a/y/z", "a-b", "ü/é", "c/d/e/f");
        assertThat(paths(tree))
                .containsExactly(
                        "", "a", "a-b", "b", "c", "ü", "a/x", "a/y", "c/d", "ü/é", "a/y/z", "c/d/e", "c/d/e/f");
        for (int node = 0; node < tree.nodes(); node++) {
            assertThat(tree.find(tree.path(node))).isEqualTo(node);
        }
        assertThat(tree.entry(tree.find("a/y/z")).path()).isEqualTo("a/y/z");
        assertThat(tree.subdirectories(tree.find("a"))).isEqualTo(1);
        assertThat(tree.children(Tree.ROOT)).isEqualTo(5);
        assertThat(Stream.of("a/", "x", "a/x/y", "b/c", "A", "a/yy").map(tree::find))
                .containsOnly(-1);
    }

    @Test
    void aDirectoryHidesTheObjectOfItsName() {
        Tree tree = tree("a", "a-", "a/b");
        assertThat(paths(tree)).containsExactly("", "a", "a-", "a/b");
        assertThat(tree.isDirectory(tree.find("a"))).isTrue();
        assertThat(tree.hidden()).isEqualTo(1);
        Entry hidden = tree.snapshot().entries().getFirst();
        assertThat(hidden.path()).isEqualTo("a");
        assertThat(tree.isDirectory(tree.find(hidden.path()))).isTrue();
    }

    @Test
    void anEmptySnapshotIsAnEmptyRoot() {
        Tree tree = tree();
        assertThat(tree.nodes()).isEqualTo(1);
        assertThat(tree.children(Tree.ROOT)).isZero();
    }

    @Test
    void numbersNodesAlikeWhateverTheOrderOfTheListing() {
        Random random = new Random(11);
        for (int round = 0; round < 200; round++) {
            TreeSet<String> names = new TreeSet<>();
            for (int i = 0; i < 40; i++) {
                names.add(randomPath(random));
            }
            List<String> shuffled = new ArrayList<>(names);
            Collections.shuffle(shuffled, random);
            Tree tree = tree(names.toArray(String[]::new));
            assertThat(paths(tree(shuffled.toArray(String[]::new)))).isEqualTo(paths(tree));
            assertThat(paths(tree)).doesNotHaveDuplicates();
            for (Entry entry : tree.snapshot().entries()) {
                int node = tree.find(entry.path());
                assertThat(tree.isDirectory(node) || tree.entry(node).equals(entry))
                        .isTrue();
            }
        }
    }

    private static String randomPath(Random random) {
        String alphabet = "ab-.0é\uD83D\uDE00";
        StringBuilder path = new StringBuilder();
        for (int depth = 1 + random.nextInt(4); depth > 0; depth--) {
            path.append(path.isEmpty() ? "" : "/").append('n');
            for (int i = random.nextInt(3); i > 0; i--) {
                int at = random.nextInt(6);
                path.append(at == 5 ? "\uD83D\uDE00" : alphabet.substring(at, at + 1));
            }
        }
        return path.toString();
    }

    private static List<String> paths(Tree tree) {
        return IntStream.range(0, tree.nodes()).mapToObj(tree::path).toList();
    }

    private static Tree tree(String... paths) {
        return Tree.of(Snapshot.of(
                "fake://b",
                Stream.of(paths)
                        .map(p -> new Entry(p, new ObjectId("fake://b", p, "1", p.length())))
                        .toList()));
    }
}
