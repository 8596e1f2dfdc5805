package io.penstock.cache.plan.rank;

import java.util.Locale;

/** Why a rank needs what it needs of a tensor. In the order of how much that is. */
public enum Reason {
    /** Belongs to layers of another pipeline stage. */
    OTHER_STAGE,
    /** Belongs to experts of other ranks. */
    OTHER_EXPERTS,
    /** Of a layer for speculative decoding, which is off. */
    SPECULATIVE,
    /** No engine reads it. */
    UNUSED,
    /** Its columns: a run of bytes in each row. */
    COLUMNS,
    /** Its rows: one run of bytes. */
    ROWS,
    /** All of it, since every rank of the group has it. */
    REPLICATED,
    /** All of it, since it is not split in this layout. */
    WHOLE,
    /** All of it, since it cannot be split evenly. */
    UNEVEN,
    /** All of it, since its name or its architecture is not known. */
    UNKNOWN;

    boolean needed() {
        return compareTo(UNUSED) > 0;
    }

    /** As in tables: {@code other-experts}. */
    public String id() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
