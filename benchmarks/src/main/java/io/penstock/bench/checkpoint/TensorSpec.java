package io.penstock.bench.checkpoint;

import java.util.List;

/** A tensor that a layout holds. */
record TensorSpec(String name, Dtype dtype, List<Long> shape) {
    TensorSpec {
        shape = List.copyOf(shape);
    }

    static TensorSpec of(String name, Dtype dtype, long... shape) {
        return new TensorSpec(
                name, dtype, java.util.Arrays.stream(shape).boxed().toList());
    }

    long bytes() {
        return shape.stream().reduce((long) dtype.bytes(), Math::multiplyExact);
    }
}
