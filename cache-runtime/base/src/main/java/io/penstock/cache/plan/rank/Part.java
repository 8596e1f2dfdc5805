package io.penstock.cache.plan.rank;

/** One of so many equal parts. */
record Part(int of, int number) {
    static final Part ALL = new Part(1, 0);

    Part {
        if (of < 1 || number < 0 || number >= of) {
            throw new IllegalArgumentException("no part " + number + " of " + of);
        }
    }
}
