package io.penstock.gpu.catalogue;

import java.util.List;

/**
 * A row of the catalogue, as files say it; {@link Place} says the rest.
 *
 * @param dtype as safetensors names it
 * @param file relative to the model's directory
 * @param offset of the first byte in the file
 * @param length in bytes
 */
public record Entry(String name, String dtype, List<Long> shape, String file, long offset, long length) {
    public Entry {
        shape = List.copyOf(shape);
    }
}
