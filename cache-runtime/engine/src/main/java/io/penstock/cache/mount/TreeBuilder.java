package io.penstock.cache.mount;

import io.penstock.cache.model.Entry;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Numbers nodes breadth first. Entries are sorted by path, so those below one directory follow each other and a
 * directory is a run of entries with a common prefix.
 */
final class TreeBuilder {
    /** A child while its directory is taken apart: the entries {@code [from, to)} share its path. */
    private static final class Child {
        final byte[] name;
        final boolean directory;
        final int from;
        final int to;

        Child(byte[] name, boolean directory, int from, int to) {
            this.name = name;
            this.directory = directory;
            this.from = from;
            this.to = to;
        }

        static int byNameDirectoryFirst(Child a, Child b) {
            int order = Arrays.compareUnsigned(a.name, b.name);
            if (order == 0) {
                order = Boolean.compare(b.directory, a.directory);
            }
            return order == 0 ? Integer.compare(a.from, b.from) : order;
        }
    }

    private final List<Entry> entries;
    byte[] names;
    int nameBytes;
    int[] nameEnds;
    int[] parents;
    int[] links;
    int[] childCounts;
    int[] subdirectories;
    int nodes;
    int hidden;

    /** Entries below each directory, and how much of their paths leads to it. */
    private int[] from;

    private int[] to;
    private int[] prefixes;

    TreeBuilder(List<Entry> entries) {
        this.entries = entries;
        int guess = entries.size() + 16;
        names = new byte[guess * 24];
        nameEnds = new int[guess];
        parents = new int[guess];
        links = new int[guess];
        childCounts = new int[guess];
        subdirectories = new int[guess];
        from = new int[guess];
        to = new int[guess];
        prefixes = new int[guess];
    }

    TreeBuilder build() {
        add(0, new Child(new byte[0], true, 0, entries.size()), 0);
        for (int node = 0; node < nodes; node++) {
            if (links[node] >= 0) {
                takeApart(node);
            }
        }
        return this;
    }

    private void takeApart(int directory) {
        links[directory] = nodes;
        List<Child> children = childrenOf(directory);
        byte[] last = null;
        for (Child child : children) {
            if (Arrays.equals(child.name, last)) {
                hidden += child.to - child.from;
                continue;
            }
            last = child.name;
            int nameEnd = prefixes[directory] + charsOfFirstSegment(child, prefixes[directory]);
            add(directory, child, nameEnd + 1);
            childCounts[directory]++;
            if (child.directory) {
                subdirectories[directory]++;
            }
        }
    }

    private List<Child> childrenOf(int directory) {
        int prefix = prefixes[directory];
        List<Child> children = new ArrayList<>();
        boolean sorted = true;
        for (int i = from[directory]; i < to[directory]; ) {
            String path = entries.get(i).path();
            int slash = path.indexOf('/', prefix);
            int end = i + 1;
            if (slash >= 0) {
                while (end < to[directory] && entries.get(end).path().regionMatches(0, path, 0, slash + 1)) {
                    end++;
                }
            }
            String name = path.substring(prefix, slash < 0 ? path.length() : slash);
            Child child = new Child(name.getBytes(StandardCharsets.UTF_8), slash >= 0, i, end);
            sorted &= children.isEmpty() || Child.byNameDirectoryFirst(children.getLast(), child) < 0;
            children.add(child);
            i = end;
        }
        if (!sorted) {
            children.sort(Child::byNameDirectoryFirst);
        }
        return children;
    }

    private int charsOfFirstSegment(Child child, int prefix) {
        String path = entries.get(child.from).path();
        int slash = path.indexOf('/', prefix);
        return (slash < 0 ? path.length() : slash) - prefix;
    }

    private void add(int parent, Child child, int prefix) {
        if (nodes == parents.length) {
            grow();
        }
        if (nameBytes + child.name.length > names.length) {
            names = Arrays.copyOf(names, Math.max(2 * names.length, nameBytes + child.name.length));
        }
        System.arraycopy(child.name, 0, names, nameBytes, child.name.length);
        nameBytes += child.name.length;
        nameEnds[nodes] = nameBytes;
        parents[nodes] = parent;
        links[nodes] = child.directory ? 0 : -1 - child.from;
        from[nodes] = child.from;
        to[nodes] = child.to;
        prefixes[nodes] = prefix;
        nodes++;
    }

    private void grow() {
        int size = 2 * parents.length;
        nameEnds = Arrays.copyOf(nameEnds, size);
        parents = Arrays.copyOf(parents, size);
        links = Arrays.copyOf(links, size);
        childCounts = Arrays.copyOf(childCounts, size);
        subdirectories = Arrays.copyOf(subdirectories, size);
        from = Arrays.copyOf(from, size);
        to = Arrays.copyOf(to, size);
        prefixes = Arrays.copyOf(prefixes, size);
    }
}
