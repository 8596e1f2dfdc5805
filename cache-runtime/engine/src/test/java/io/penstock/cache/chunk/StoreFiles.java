package io.penstock.cache.chunk;

import io.penstock.cache.model.ObjectId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;

/** What a store keeps on disk, to be damaged from outside. */
public final class StoreFiles {
    private StoreFiles() {}

    /** The file that holds the object's bytes. */
    public static Path data(Path directory, ObjectId object) {
        return directory.resolve("objects").resolve(Names.of(object) + Names.DATA);
    }

    /** Flips one bit in {@code [from, to)} of a file; returns where, or -1 when the file is shorter. */
    public static long rot(Path file, long from, long to, Random random) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer one = ByteBuffer.allocate(1);
            long at = from + random.nextLong(to - from);
            if (channel.read(one, at) == 1) {
                one.put(0, (byte) (one.get(0) ^ 1 << random.nextInt(8)));
                channel.write(one.flip(), at);
                return at;
            }
            return -1;
        }
    }
}
