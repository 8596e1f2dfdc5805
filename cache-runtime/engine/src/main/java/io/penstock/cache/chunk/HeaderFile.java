package io.penstock.cache.chunk;

import io.penstock.cache.chunk.Disk.DiskFile;
import io.penstock.cache.chunk.Header.Parsed;
import io.penstock.cache.model.ObjectId;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Reads header files. */
final class HeaderFile {
    private HeaderFile() {}

    /** The header of an object that is about to be used, with its own copy of the image. */
    static Parsed read(Tier tier, String name, ObjectId object, int chunkSize) throws IOException {
        Path data = tier.path(name + Names.DATA);
        Path head = tier.path(name + Names.HEAD);
        if (!Files.exists(head) && Files.isDirectory(tier.objects())) {
            return new Parsed.Corrupt("its header was removed by somebody else");
        }
        MemorySegment image = Arena.ofAuto().allocate(Header.lengthOf(object, chunkSize));
        try (DiskFile file = tier.disk().open(head, false)) {
            MemorySegment found = image.asSlice(0, file.read(image, 0));
            Parsed parsed = Header.parse(found);
            return parsed instanceof Parsed.Valid(Header header) ? checked(header, object, chunkSize, data) : parsed;
        }
    }

    private static Parsed checked(Header header, ObjectId object, int chunkSize, Path data) throws IOException {
        if (!header.object().equals(object) || header.chunkSize() != chunkSize) {
            return new Parsed.Corrupt("its header is that of another object or chunk size");
        }
        try {
            long size = Files.size(data);
            return size == object.size()
                    ? new Parsed.Valid(header)
                    : new Parsed.Corrupt("its data file has " + size + " bytes instead of " + object.size());
        } catch (NoSuchFileException e) {
            return new Parsed.Corrupt("its data file is missing");
        }
    }
}
