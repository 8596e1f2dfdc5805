package io.penstock.bench.demo;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** Reads a model from a directory as an engine does: shard by shard, mapped, tensors in name order; checks each digest. */
final class MountReader {
    private MountReader() {}

    /** Runs between two tensors. */
    interface Pause {
        void run() throws IOException;
    }

    static void read(Model model, Path directory, Run.Recorder recorder, Pause between) throws IOException {
        for (Model.ModelFile file : model.files()) {
            double begin = recorder.now();
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
                    recorder.verified(file, part);
                    between.run();
                }
            }
            if (file.shard()) {
                recorder.span(file.name(), begin);
            }
        }
    }
}
