package io.penstock.operator.plugin;

import io.penstock.cache.model.ErrorCode;

/**
 * What one check of the cluster found.
 *
 * @param code of a failure: one of {@link ErrorCode}'s; else empty
 * @param cause of a failure; else empty
 * @param fix what to type or change; else empty
 * @param retry whether looking again later may find it well
 */
record Finding(State state, String what, String code, String cause, String fix, boolean retry) {
    enum State {
        OK,
        FAIL,
        SKIP
    }

    static Finding ok(String what) {
        return new Finding(State.OK, what, "", "", "", false);
    }

    static Finding skip(String what) {
        return new Finding(State.SKIP, what, "", "", "", false);
    }

    static Finding fail(String what, String cause, String fix) {
        return new Finding(State.FAIL, what, ErrorCode.KUBERNETES.code(), cause, fix, true);
    }

    Finding code(String code) {
        return new Finding(state, what, code, cause, fix, retry);
    }
}
