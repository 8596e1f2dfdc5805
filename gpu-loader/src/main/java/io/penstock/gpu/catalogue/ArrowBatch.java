package io.penstock.gpu.catalogue;

import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.ListVector;

/** Rows on their way into an Arrow file, some thousand at a time. Not thread-safe. */
final class ArrowBatch {
    private static final int ROWS = 16_384;
    /** Names have any length: this keeps a batch small. */
    private static final long NAMES = 4 << 20;

    private final VectorSchemaRoot root;
    private final VarCharVector name;
    private final VarCharVector dtype;
    private final ListVector shape;
    private final BigIntVector dimensions;
    private final VarCharVector file;
    private final BigIntVector offset;
    private final BigIntVector length;
    private final IntVector layer;
    private final IntVector expert;
    private final VarCharVector role;

    ArrowBatch(VectorSchemaRoot root) {
        this.root = root;
        name = (VarCharVector) root.getVector("name");
        dtype = (VarCharVector) root.getVector("dtype");
        shape = (ListVector) root.getVector("shape");
        dimensions = (BigIntVector) shape.getDataVector();
        file = (VarCharVector) root.getVector("file");
        offset = (BigIntVector) root.getVector("offset");
        length = (BigIntVector) root.getVector("length");
        layer = (IntVector) root.getVector("layer");
        expert = (IntVector) root.getVector("expert");
        role = (VarCharVector) root.getVector("role");
    }

    /** Takes the place of what was there. */
    void fill(Iterator<Entry> entries) {
        root.clear();
        int rows = 0;
        long names = 0;
        while (entries.hasNext() && rows < ROWS && names < NAMES) {
            Entry entry = entries.next();
            names += entry.name().length();
            set(rows++, entry);
        }
        root.setRowCount(rows);
    }

    private void set(int row, Entry entry) {
        Place place = Place.of(entry.name());
        text(name, row, entry.name());
        text(dtype, row, entry.dtype());
        int at = shape.startNewValue(row);
        for (long dimension : entry.shape()) {
            dimensions.setSafe(at++, dimension);
        }
        shape.endValue(row, entry.shape().size());
        text(file, row, entry.file());
        offset.setSafe(row, entry.offset());
        length.setSafe(row, entry.length());
        number(layer, row, place.layer());
        number(expert, row, place.expert());
        text(role, row, place.role().id());
    }

    private static void text(VarCharVector column, int row, String value) {
        column.setSafe(row, value.getBytes(StandardCharsets.UTF_8));
    }

    private static void number(IntVector column, int row, int value) {
        if (value < 0) {
            column.setNull(row);
        } else {
            column.setSafe(row, value);
        }
    }
}
