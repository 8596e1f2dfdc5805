package io.penstock.gpu.catalogue;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowFileWriter;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;

/** The catalogue as an Arrow IPC file, a row for each tensor: pyarrow, pandas and DuckDB read it. */
public final class ArrowFile {
    /** Of these columns, in this order; the key is that of the schema's metadata. */
    static final String VERSION_KEY = "penstock.catalogue";

    static final String VERSION = "1";

    private static final ArrowType TEXT = ArrowType.Utf8.INSTANCE;
    private static final ArrowType LONG = new ArrowType.Int(64, true);
    private static final ArrowType INT = new ArrowType.Int(32, true);
    private static final Schema SCHEMA = new Schema(
            List.of(
                    column("name", TEXT),
                    column("dtype", TEXT),
                    new Field("shape", FieldType.notNullable(ArrowType.List.INSTANCE), List.of(column("item", LONG))),
                    column("file", TEXT),
                    column("offset", LONG),
                    column("length", LONG),
                    new Field("layer", FieldType.nullable(INT), null),
                    new Field("expert", FieldType.nullable(INT), null),
                    column("role", TEXT)),
            Map.of(VERSION_KEY, VERSION));

    private ArrowFile() {}

    private static Field column(String name, ArrowType type) {
        return new Field(name, FieldType.notNullable(type), null);
    }

    /**
     * Writes {@code to}, whole or not at all, in place of what is there.
     *
     * @throws PenstockException it cannot be written
     */
    public static void write(Iterable<Entry> entries, Path to) throws PenstockException {
        Path whole = to.toAbsolutePath();
        try {
            Path part = whole.resolveSibling(
                    "." + whole.getFileName() + "." + ProcessHandle.current().pid() + ".part");
            try {
                writeInto(entries, part);
                Files.move(part, whole, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(part);
            }
        } catch (IOException e) {
            throw new PenstockException(
                    ErrorCode.USAGE,
                    to + " cannot be written: " + e,
                    "Name a file in a directory that is there.",
                    false,
                    e);
        }
    }

    private static void writeInto(Iterable<Entry> entries, Path file) throws IOException {
        Iterator<Entry> rest = entries.iterator();
        try (BufferAllocator allocator = new RootAllocator();
                VectorSchemaRoot root = VectorSchemaRoot.create(SCHEMA, allocator);
                FileChannel channel = FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE);
                ArrowFileWriter writer = new ArrowFileWriter(root, null, channel)) {
            writer.start();
            ArrowBatch batch = new ArrowBatch(root);
            while (rest.hasNext()) {
                batch.fill(rest);
                writer.writeBatch();
            }
            writer.end();
        }
    }
}
