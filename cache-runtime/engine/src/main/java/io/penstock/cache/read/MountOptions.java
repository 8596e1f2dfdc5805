package io.penstock.cache.read;

import java.nio.file.Path;

/**
 * How one mount reads.
 *
 * @param readAhead fetch what the access pattern announces
 * @param trace where to write the order of first touches when the mount is closed; null: nowhere
 */
public record MountOptions(boolean readAhead, Path trace) {
    public static final MountOptions DEFAULTS = new MountOptions(true, null);
}
