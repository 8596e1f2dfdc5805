package io.penstock.sidecar;

import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.model.Snapshot;
import io.penstock.cache.plan.Plan;
import io.penstock.cache.plan.Planner;
import io.penstock.cache.plan.rank.RankPlans;
import io.penstock.cache.plan.rank.RankPlans.Ranked;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The mounted model: its files, and which snapshot it is where that can be told. */
final class Model {
    private static final Pattern DIGEST = Pattern.compile("sha256:[0-9a-f]{64}");
    /** A directory of complete files, as the mount table has it. */
    private static final Pattern DIRECT = Pattern.compile(".*/direct/([0-9a-f]{64})");

    private final Path root;

    Model(Path root) {
        this.root = root;
    }

    Path root() {
        return root;
    }

    String name() {
        Path name = root.getFileName();
        return name == null ? root.toString() : name.toString();
    }

    /** The digest of the snapshot that a mount of ours shows; empty for anybody else's. */
    Optional<String> digest() throws IOException {
        try {
            byte[] value = (byte[]) Files.getAttribute(root, "user:penstock.snapshot");
            String text = new String(value, StandardCharsets.UTF_8);
            return DIGEST.matcher(text).matches() ? Optional.of(text) : Optional.empty();
        } catch (UnsupportedOperationException | java.nio.file.FileSystemException e) {
            if (!Files.isDirectory(root)) {
                throw e;
            }
            return Optional.empty();
        }
    }

    /** Whether the volume shows complete files on this node themselves, so that there is nothing to fetch. */
    boolean isComplete() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
            String[] fields = line.split(" ", -1);
            if (fields.length > 4 && fields[4].equals(root.toString())) {
                Matcher direct = DIRECT.matcher(fields[3]);
                return direct.matches();
            }
        }
        return false;
    }

    /** Everything in reading order. */
    Plan plan() throws IOException {
        return Planner.readingOrder(snapshot());
    }

    /**
     * What these ranks need.
     *
     * @throws PenstockException no engine runs this model like that
     */
    Ranked plan(Ranks ranks) throws IOException {
        return RankPlans.of(snapshot(), ranks.layout(), ranks.ranks(), this::read);
    }

    private byte[] read(Entry entry, long offset, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        try (FileChannel file = FileChannel.open(root.resolve(entry.path()), StandardOpenOption.READ)) {
            while (bytes.hasRemaining()) {
                if (file.read(bytes, offset + bytes.position()) < 0) {
                    throw new EOFException(entry.path() + " has become shorter");
                }
            }
        }
        return bytes.array();
    }

    private Snapshot snapshot() throws IOException {
        List<Entry> entries = new ArrayList<>();
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
                boolean hidden = !directory.equals(root)
                        && directory.getFileName().toString().startsWith(".");
                return hidden ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                // links within a model, as hubs lay them out, count as what they lead to
                long size = attributes.isSymbolicLink()
                        ? target(file)
                        : attributes.isRegularFile() ? attributes.size() : -1;
                if (size >= 0) {
                    String path = root.relativize(file).toString();
                    entries.add(new Entry(path, new ObjectId(root.toString(), path, "", size)));
                }
                return FileVisitResult.CONTINUE;
            }
        });
        return Snapshot.of(root.toString(), entries);
    }

    private static long target(Path link) throws IOException {
        return Files.isRegularFile(link) ? Files.size(link) : -1;
    }
}
