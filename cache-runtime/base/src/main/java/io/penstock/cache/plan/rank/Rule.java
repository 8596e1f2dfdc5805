package io.penstock.cache.plan.rank;

/** How a matrix is split, among whom. Matrices are stored output by input: rows are outputs. */
record Rule(Group group, Axis axis) {
    enum Group {
        ALL,
        ATTENTION,
        /** Keys and values, which several ranks share when there are fewer heads than ranks. */
        KEYS,
        DENSE,
        SHARED,
        EXPERT,
        EMBEDDING,
        HEAD
    }

    enum Axis {
        NONE,
        ROWS,
        COLUMNS,
        /** Rows, of which there are made to be a multiple of 64. */
        VOCABULARY
    }
}
