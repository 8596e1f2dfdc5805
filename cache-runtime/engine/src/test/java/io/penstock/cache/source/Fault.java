package io.penstock.cache.source;

/** How an origin may fail while an object is read. */
public enum Fault {
    /** Closes with RST instead of answering. */
    RESET_BEFORE_ANSWER,
    /** Closes with RST after a quarter of the body. */
    RESET_IN_BODY,
    /** Sends 1 KB a second. */
    DRIP,
    SLOW_DOWN_503,
    DENIED_403,
    /** Announces all of the range, ends the connection after half. */
    SHORT_BODY,
    /** Announces and sends a body one byte shorter than the range. */
    WRONG_LENGTH,
    /** Ignores If-Match and sends another version, with that one's ETag. */
    WRONG_ETAG,
    RANGE_416,
    /** Points to an address that points to itself. */
    REDIRECT,
    HANG_BEFORE_HEADERS,
    /** Stops, without closing, after half of the body. */
    HANG_IN_BODY,
    /** Sends the range before the one asked for, and says so. */
    WRONG_RANGE,
    /** Answers 200 with the whole object. */
    IGNORES_RANGE,
    /** Answers in something that is not HTTP. */
    GARBAGE,
    ERROR_500,
    /** A right answer in chunks: slow, but no fault. */
    CHUNKED,
    /** A right answer, after which the connection is closed without a word. */
    CLOSES_AFTER
}
