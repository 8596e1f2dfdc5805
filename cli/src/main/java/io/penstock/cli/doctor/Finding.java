package io.penstock.cli.doctor;

import io.penstock.cache.model.ErrorCode;

/**
 * What one check found.
 *
 * @param what one line: what was looked at, and what it is
 * @param code of a failure, else null
 * @param cause of a failure; empty otherwise
 * @param fix what to type or change; empty otherwise
 * @param retryHelps whether looking again later may find it well
 */
record Finding(State state, String what, ErrorCode code, String cause, String fix, boolean retryHelps) {
    enum State {
        OK,
        FAIL,
        SKIP
    }

    static Finding ok(String what) {
        return new Finding(State.OK, what, null, "", "", false);
    }

    static Finding skip(String what) {
        return new Finding(State.SKIP, what, null, "", "", false);
    }

    static Finding fail(ErrorCode code, String what, String cause, String fix) {
        return new Finding(State.FAIL, what, code, cause, fix, false);
    }
}
