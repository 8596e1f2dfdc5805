package io.penstock.bench.checkpoint;

/** Element types of the synthetic checkpoints, in the order in which a file holds them. */
enum Dtype {
    F32(4),
    BF16(2),
    F8_E4M3(1);

    private final int bytes;

    Dtype(int bytes) {
        this.bytes = bytes;
    }

    int bytes() {
        return bytes;
    }
}
