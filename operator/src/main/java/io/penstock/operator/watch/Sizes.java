package io.penstock.operator.watch;

import io.fabric8.kubernetes.api.model.Quantity;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Sizes as the objects write them: Gi. */
public final class Sizes {
    private static final double GIB = 1L << 30;
    private static final long MIB = 1L << 20;

    private Sizes() {}

    /** {@code 131Gi}; below 10 GiB with a digit more, below 1 GiB in Mi. */
    public static String gi(long bytes) {
        if (bytes >= 10 * GIB || bytes == 0) {
            return String.format(Locale.ROOT, "%.0fGi", Math.floor(bytes / GIB));
        }
        return bytes >= GIB
                ? String.format(Locale.ROOT, "%.1fGi", Math.floor(bytes * 10 / GIB) / 10)
                : ((bytes + MIB - 1) / MIB) + "Mi";
    }

    /** 0 for null. */
    public static long bytes(@Nullable String quantity) {
        return quantity == null
                ? 0
                : Quantity.getAmountInBytes(new Quantity(quantity)).longValue();
    }
}
