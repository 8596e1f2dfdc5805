package io.penstock.cache.chunk;

import io.penstock.cache.chunk.Disk.DiskFile;
import io.penstock.cache.chunk.Header.Parsed;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds what lies in a tier when the store starts: headers that can be used, headers of versions that are left alone,
 * and remains of an interrupted start or removal, which are swept.
 */
final class Scan {
    private static final Logger LOG = LoggerFactory.getLogger(Scan.class);
    private static final int FIRST_IMAGE = 16 << 10;

    private final Tier tier;
    private final int chunkSize;
    private final Map<ObjectId, Entry> index;
    private final Map<String, Integer> foreign;
    private final Scratch images = new Scratch(FIRST_IMAGE);

    /** @param foreign is told the names of objects with an unknown header version, and that version */
    Scan(Tier tier, int chunkSize, Map<ObjectId, Entry> index, Map<String, Integer> foreign) {
        this.tier = tier;
        this.chunkSize = chunkSize;
        this.index = index;
        this.foreign = foreign;
    }

    void run() throws StoreException {
        try {
            Set<String> data = new HashSet<>();
            Set<String> heads = new HashSet<>();
            for (String file : tier.disk().list(tier.objects())) {
                if (Names.ours(file)) {
                    if (file.endsWith(Names.DATA)) {
                        data.add(Names.stem(file));
                    } else {
                        heads.add(Names.stem(file));
                    }
                }
            }
            List<Entry> found = new ArrayList<>(heads.parallelStream()
                    .map(name -> entry(name, data.contains(name)))
                    .filter(Objects::nonNull)
                    .toList());
            for (String orphan : data) {
                if (!heads.contains(orphan)) {
                    tier.disk().delete(tier.path(orphan + Names.DATA));
                }
            }
            found.sort(Comparator.comparingLong(entry -> entry.lastUsed));
            found.forEach(tier.order::used);
        } catch (UncheckedIOException e) {
            throw failed(e.getCause());
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private StoreException failed(IOException e) {
        return new StoreException(
                ErrorCode.CACHE_IO,
                "cache directory " + tier.options().directory() + " cannot be read: " + e.getMessage(),
                "check the disk and the permissions",
                e);
    }

    /** Null when nothing is to be remembered. Runs on several threads. */
    private Entry entry(String name, boolean hasData) {
        try {
            return tryEntry(name, hasData);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Entry tryEntry(String name, boolean hasData) throws IOException {
        MemorySegment image = images.take();
        try (DiskFile file = tier.disk().open(tier.path(name + Names.HEAD), false)) {
            long length = file.read(image, 0);
            while (length == image.byteSize()) {
                image = Arena.ofAuto().allocate(4 * image.byteSize());
                length = file.read(image, 0);
            }
            return entry(name, hasData, Header.parse(image.asSlice(0, length)));
        } finally {
            images.giveBack(image);
        }
    }

    private Entry entry(String name, boolean hasData, Parsed parsed) throws IOException {
        return switch (parsed) {
            case Parsed.UnknownVersion(int version) -> {
                LOG.warn("{} in tier {} has format {}; it is left alone", name, tier.name(), version);
                foreign.put(name, version);
                yield null;
            }
            case Parsed.Corrupt(String reason) -> drop(name, reason);
            case Parsed.Valid(Header header) when !hasData -> drop(name, "data file is missing");
            case Parsed.Valid(Header header)
            when header.chunkSize() != chunkSize -> drop(name, "chunk size was " + header.chunkSize());
            case Parsed.Valid(Header header) -> remember(name, header);
        };
    }

    private Entry drop(String name, String reason) throws IOException {
        LOG.warn("dropping {} from tier {}: {}", name, tier.name(), reason);
        ObjectFiles.delete(tier, name);
        return null;
    }

    private Entry remember(String name, Header header) throws IOException {
        Entry entry = new Entry(header.object());
        entry.tier = tier;
        entry.stored.set(header.durableBytes());
        entry.complete = (header.flags() & Header.SEALED) != 0;
        entry.pinned = (header.flags() & Header.PINNED) != 0;
        entry.lastUsed = header.lastUsed();
        if (index.putIfAbsent(entry.object, entry) != null) {
            return drop(name, "an earlier tier has the object too");
        }
        tier.room.found(entry.stored.get());
        return entry;
    }
}
