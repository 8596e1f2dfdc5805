package io.penstock.cache.source.file;

import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.FileStat;
import io.penstock.cache.model.ByteRange;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.model.Paths;
import io.penstock.cache.source.Source;
import io.penstock.cache.source.SourceException;
import io.penstock.cache.source.Transfer;
import io.penstock.cache.source.TransferListener;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A directory, or one file, as a source. Links are followed, as model directories are often made of them. The version
 * of a file is its size, its modification time in nanoseconds and its inode; a read checks them before it starts
 * and after each step, before it tells of the bytes.
 */
public final class FileSource implements Source {
    private static final Logger LOG = LoggerFactory.getLogger(FileSource.class);
    private static final String ORIGIN = "file://";
    private static final int PAGE = 1000;
    private static final int THREADS = 4;
    private static final long STEP = 1 << 20;

    private final Path root;
    private final ExecutorService readers = Executors.newFixedThreadPool(
            THREADS, Thread.ofPlatform().daemon().name("penstock-file-", 0).factory());

    public FileSource(Path root) {
        this.root = root.toAbsolutePath().normalize();
    }

    @Override
    public String location() {
        return ORIGIN + root;
    }

    @Override
    public void list(Consumer<List<Entry>> pages) throws SourceException {
        Lister lister = new Lister(pages);
        try {
            if (Files.isRegularFile(root)) {
                lister.add(root, root.getFileName().toString());
            } else {
                Files.walkFileTree(root, EnumSet.of(FileVisitOption.FOLLOW_LINKS), Integer.MAX_VALUE, lister);
            }
        } catch (NoSuchFileException e) {
            throw new SourceException(
                    ErrorCode.ORIGIN_NOT_FOUND, location() + " does not exist", "check the path", false, e);
        } catch (IOException e) {
            throw error(location(), "list", e);
        }
        lister.end();
    }

    @Override
    public Transfer read(ObjectId object, ByteRange range, MemorySegment target, TransferListener listener) {
        if (target.byteSize() != range.length() || range.end() > object.size()) {
            throw new IllegalArgumentException("range, target and object do not fit together");
        }
        FileRead read = new FileRead(object, range, target, listener);
        readers.execute(read);
        return read;
    }

    /** Waits for no transfer; those under way end with their next step. */
    @Override
    public void close() {
        for (Runnable waiting : readers.shutdownNow()) {
            ((FileRead) waiting).cancel();
            waiting.run();
        }
    }

    private static String version(FileStat stat) {
        return stat.size() + "-" + stat.modifiedNanos() + "-" + stat.inode();
    }

    private static SourceException error(String what, String doing, IOException e) {
        int errno = e instanceof ErrnoException known ? known.errno() : 0;
        if (errno == Errno.ENOENT) {
            return new SourceException(
                    ErrorCode.ORIGIN_NOT_FOUND, what + " does not exist any more", "take a new snapshot", false, e);
        }
        if (errno == Errno.EACCES || errno == Errno.EPERM || e instanceof java.nio.file.AccessDeniedException) {
            return new SourceException(
                    ErrorCode.ORIGIN_DENIED,
                    what + " may not be read by the user of this process",
                    "grant read permission",
                    false,
                    e);
        }
        return new SourceException(
                ErrorCode.ORIGIN_UNREACHABLE,
                "cannot " + doing + " " + what + ": " + e.getMessage(),
                "check the disk or the file server it lies on",
                true,
                e);
    }

    /** Collects pages in the order in which the directories give them. */
    private final class Lister extends SimpleFileVisitor<Path> {
        private final Consumer<List<Entry>> pages;
        private List<Entry> page = new ArrayList<>(PAGE);
        private boolean any;
        private boolean warned;

        Lister(Consumer<List<Entry>> pages) {
            this.pages = pages;
        }

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
            if (attributes.isRegularFile()) {
                add(file, root.relativize(file).toString());
            }
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
            if (file.equals(root)) {
                throw e;
            }
            if (Files.isSymbolicLink(file)) {
                // Dangling, or a cycle.
                skip(file);
                return FileVisitResult.CONTINUE;
            }
            throw e;
        }

        void add(Path file, String path) throws IOException {
            String absolute = file.toString();
            if (!Paths.isValid(path) || absolute.indexOf('\uFFFD') >= 0) {
                skip(file);
                return;
            }
            FileStat stat = FileStat.of(file);
            page.add(new Entry(path, new ObjectId(ORIGIN, absolute.substring(1), version(stat), stat.size())));
            if (page.size() == PAGE) {
                flush();
            }
        }

        private void skip(Path file) {
            if (!warned) {
                warned = true;
                LOG.warn("{} cannot be a file in a mount and is left out, as are others like it", file);
            }
        }

        private void flush() {
            any = true;
            pages.accept(page);
            page = new ArrayList<>(PAGE);
        }

        void end() throws SourceException {
            if (!page.isEmpty()) {
                flush();
            }
            if (!any) {
                throw new SourceException(
                        ErrorCode.ORIGIN_EMPTY, location() + " holds no files", "check the path", false, null);
            }
        }
    }

    private static final class FileRead implements Transfer, Runnable {
        private final ObjectId object;
        private final ByteRange range;
        private final MemorySegment target;
        private final TransferListener listener;
        private volatile boolean cancelled;

        FileRead(ObjectId object, ByteRange range, MemorySegment target, TransferListener listener) {
            this.object = object;
            this.range = range;
            this.target = target;
            this.listener = listener;
        }

        @Override
        public void cancel() {
            cancelled = true;
        }

        @Override
        public void run() {
            try (Fd file = Fd.open(Path.of("/" + object.key()), Fd.O_RDONLY | Fd.O_NONBLOCK, 0)) {
                check(file);
                copy(file);
            } catch (SourceException e) {
                listener.failed(e);
                return;
            } catch (IOException e) {
                listener.failed(error(object.toString(), "read", e));
                return;
            }
            listener.completed();
        }

        private void copy(Fd file) throws IOException {
            long done = 0;
            while (done < range.length()) {
                if (cancelled || Thread.currentThread().isInterrupted()) {
                    throw new SourceException(
                            ErrorCode.ORIGIN_CANCELLED, "reading " + object + " was cancelled", "", false, null);
                }
                long n = file.pread(target.asSlice(done, Math.min(STEP, range.length() - done)), range.offset() + done);
                if (n == 0) {
                    throw SourceException.changed(object);
                }
                check(file);
                done += n;
                listener.received(done);
            }
        }

        private void check(Fd file) throws IOException {
            if (!version(FileStat.of(file)).equals(object.version())) {
                throw SourceException.changed(object);
            }
        }
    }
}
