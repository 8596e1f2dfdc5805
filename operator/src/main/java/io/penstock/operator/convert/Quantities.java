package io.penstock.operator.convert;

import io.fabric8.kubernetes.api.model.Quantity;
import java.math.BigDecimal;
import java.math.RoundingMode;

/** Sizes as Fluid writes them. */
final class Quantities {
    private static final BigDecimal MEBI = BigDecimal.valueOf(1 << 20);
    private static final BigDecimal KIBI = BigDecimal.valueOf(1024);
    private static final int PERCENT = 100;

    private Quantities() {}

    /** In Gi where that is exact, else in Mi, rounded up. */
    static String size(String text) {
        BigDecimal mebi = Quantity.getAmountInBytes(new Quantity(text)).divide(MEBI, 0, RoundingMode.CEILING);
        BigDecimal[] gibi = mebi.divideAndRemainder(KIBI);
        return gibi[1].signum() == 0 ? gibi[0].toBigInteger() + "Gi" : mebi.toBigInteger() + "Mi";
    }

    /** A share such as 0.95 as a percentage. */
    static int percent(String share) {
        return new BigDecimal(share)
                .multiply(BigDecimal.valueOf(PERCENT))
                .setScale(0, RoundingMode.HALF_UP)
                .intValueExact();
    }
}
