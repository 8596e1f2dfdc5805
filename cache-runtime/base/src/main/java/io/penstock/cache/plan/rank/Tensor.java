package io.penstock.cache.plan.rank;

import java.util.List;

/**
 * A tensor as a file's header has it.
 *
 * @param offset of its first byte in the file
 * @param length in bytes
 */
public record Tensor(String name, List<Long> shape, String file, long offset, long length) {
    public Tensor {
        shape = List.copyOf(shape);
    }
}
