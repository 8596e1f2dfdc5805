package io.penstock.operator.api;

/**
 * Tells Jackson which specs are none, and not to be written. The library makes an object without one when it changes something
 * else in it, and must not write ours.
 */
final class NoSpec {
    @Override
    public boolean equals(Object spec) {
        return spec == null
                || spec.equals(DatasetSpec.NONE)
                || spec.equals(DataLoadSpec.NONE)
                || spec.equals(CacheRuntimeSpec.NONE);
    }

    @Override
    public int hashCode() {
        return 0;
    }
}
