package io.penstock.csi.volume;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;

/** Errors that several places meet. What a stranger wrote is shown shortened, and without what a terminal would act on. */
final class Refusals {
    private static final int SHOWN = 60;

    private Refusals() {}

    static PenstockException unknown(String kind, String key, String known) {
        return new PenstockException(
                ErrorCode.UNKNOWN_KEY, "there is no " + kind + " " + shown(key), "Known are: " + known);
    }

    static PenstockException bad(String what, String remedy) {
        return new PenstockException(ErrorCode.BAD_VALUE, what, remedy);
    }

    static String shown(String text) {
        String safe = text.codePoints()
                .limit(SHOWN)
                .map(c -> Character.isISOControl(c) || Character.getType(c) == Character.FORMAT ? '?' : c)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
        return "'" + safe + (text.length() > SHOWN ? "...'" : "'");
    }
}
