package io.penstock.cache.chunk;

import io.penstock.cache.chunk.Disk.DiskFile;
import io.penstock.cache.model.ObjectId;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * The two files of an object in its tier. They are opened when first needed, as many objects are open that nobody reads
 * through this process.
 */
final class ObjectFiles implements AutoCloseable {
    private final Tier tier;
    private final Header header;
    private final Path dataPath;
    private final Path headPath;
    private volatile DiskFile data;
    private volatile DiskFile head;
    private boolean namesDurable;

    private ObjectFiles(Tier tier, String name, Header header, boolean namesDurable) {
        this.tier = tier;
        this.header = header;
        this.namesDurable = namesDurable;
        dataPath = tier.path(name + Names.DATA);
        headPath = tier.path(name + Names.HEAD);
    }

    /** Files that lie in the tier already. */
    static ObjectFiles of(Tier tier, String name, Header header) {
        return new ObjectFiles(tier, name, header, true);
    }

    /**
     * Makes both files. What a failing tier kept goes first: an old header must not meet the new data, nor new data a
     * file that somebody still reads. The new header comes last, as a header without data would be dropped.
     */
    static ObjectFiles create(Tier tier, String name, ObjectId object, int chunkSize, int flags) throws IOException {
        Header header = Header.create(object, chunkSize, System.currentTimeMillis());
        header.nextSlot(flags, header.durableCopy());
        ObjectFiles files = new ObjectFiles(tier, name, header, false);
        try {
            delete(tier, files.headPath, files.dataPath);
            files.data = tier.disk().open(files.dataPath, true);
            files.data.truncate(object.size());
            files.head = tier.disk().open(files.headPath, true);
            files.head.write(header.image(), 0);
            return files;
        } catch (IOException e) {
            files.close();
            files.deleteQuietly(e);
            throw e;
        }
    }

    private void deleteQuietly(IOException cause) {
        try {
            delete(tier, headPath, dataPath);
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
    }

    /** Removes an object's files, the header first: what is left after a stop in between is swept at the next start. */
    static void delete(Tier tier, String name) throws IOException {
        delete(tier, tier.path(name + Names.HEAD), tier.path(name + Names.DATA));
    }

    private static void delete(Tier tier, Path headPath, Path dataPath) throws IOException {
        tier.disk().delete(headPath);
        tier.disk().delete(dataPath);
    }

    Tier tier() {
        return tier;
    }

    Header header() {
        return header;
    }

    Path dataPath() {
        return dataPath;
    }

    DiskFile data() throws IOException {
        DiskFile file = data;
        return file != null ? file : openData();
    }

    private synchronized DiskFile openData() throws IOException {
        if (data == null) {
            data = tier.disk().open(dataPath, false);
        }
        return data;
    }

    private DiskFile head() throws IOException {
        DiskFile file = head;
        return file != null ? file : openHead();
    }

    private synchronized DiskFile openHead() throws IOException {
        if (head == null) {
            head = tier.disk().open(headPath, false);
        }
        return head;
    }

    /** Writes a part of the header's image to its place in the file. */
    void writeHead(MemorySegment part) throws IOException {
        head().write(part, header.offsetOf(part));
    }

    void syncData() throws IOException {
        data().sync();
    }

    void syncHead() throws IOException {
        head().sync();
        if (!namesDurable) {
            tier.syncNames();
            namesDurable = true;
        }
    }

    @Override
    public synchronized void close() {
        if (data != null) {
            data.close();
        }
        if (head != null) {
            head.close();
        }
    }
}
