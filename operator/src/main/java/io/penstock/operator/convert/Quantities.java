package io.penstock.operator.convert;

import io.fabric8.kubernetes.api.model.Quantity;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.math.BigDecimal;
import java.math.RoundingMode;

/** Sizes as Fluid writes them. Whoever asks names the field, for when it holds something else. */
final class Quantities {
    private static final BigDecimal MEBI = BigDecimal.valueOf(1 << 20);
    private static final BigDecimal KIBI = BigDecimal.valueOf(1024);
    private static final int PERCENT = 100;

    private Quantities() {}

    /** In Gi where that is exact, else in Mi, rounded up. */
    static String size(String field, String text) throws PenstockException {
        try {
            BigDecimal bytes = Quantity.getAmountInBytes(new Quantity(text));
            if (bytes.signum() > 0) {
                BigDecimal mebi = bytes.divide(MEBI, 0, RoundingMode.CEILING);
                BigDecimal[] gibi = mebi.divideAndRemainder(KIBI);
                return gibi[1].signum() == 0 ? gibi[0].toBigInteger() + "Gi" : mebi.toBigInteger() + "Mi";
            }
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw bad(field, text, "a size, like 500Gi", e);
        }
        throw bad(field, text, "a size above nothing, like 500Gi", null);
    }

    /** A share such as 0.95 as a percentage. */
    static int percent(String field, String share) throws PenstockException {
        try {
            int percent = new BigDecimal(share)
                    .multiply(BigDecimal.valueOf(PERCENT))
                    .setScale(0, RoundingMode.HALF_UP)
                    .intValueExact();
            if (percent >= 1 && percent <= PERCENT) {
                return percent;
            }
        } catch (NumberFormatException | ArithmeticException e) {
            throw bad(field, share, "a share, like 0.95", e);
        }
        throw bad(field, share, "a share between 0.01 and 1, like 0.95", null);
    }

    private static PenstockException bad(String field, String text, String what, Exception cause) {
        return new PenstockException(
                ErrorCode.BAD_VALUE, field + ": " + text + " is not " + what, "Write " + what + ".", false, cause);
    }
}
