package io.penstock.bench.demo;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;

/** Reads a model from a directory as an engine does: shard by shard, mapped, tensors in name order; checks each digest. */
final class MountReader {
    private MountReader() {}

    /** What is told while reading. */
    interface Listener {
        void began(Model.ModelFile file);

        void verified(Model.ModelFile file, Model.Part part);

        void ended(Model.ModelFile file);
    }

    static void read(List<Model.ModelFile> files, Path directory, Listener listener) throws IOException {
        for (Model.ModelFile file : files) {
            listener.began(file);
            try (Arena arena = Arena.ofConfined();
                    FileChannel channel = FileChannel.open(directory.resolve(file.name()))) {
                if (channel.size() != file.size()) {
                    throw new IOException(file.name() + " has " + channel.size() + " bytes, not " + file.size());
                }
                MemorySegment bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, file.size(), arena);
                for (Model.Part part : file.parts()) {
                    if (Model.crc32(bytes.asSlice(part.offset(), part.length())) != part.crc32()) {
                        throw new IOException("wrong bytes: " + part.name() + " in " + file.name());
                    }
                    listener.verified(file, part);
                }
            }
            listener.ended(file);
        }
    }
}
