package io.penstock.cache.source.net;

/** Hears of one exchange, on its event loop: quick, in order, never concurrently. Ends with completed or failed, once. */
public interface ResponseHandler {
    /** The head is there; says where the body goes. Interim (1xx) heads are not shown. */
    Body head(ResponseHead head);

    /** {@code total} bytes of a {@link Body.Into} target are filled. */
    default void received(long total) {}

    /**
     * The body ended as announced.
     *
     * @param collected of {@link Body.Collect}; empty otherwise. A collected body may be cut off at its limit.
     */
    void completed(byte[] collected);

    /** The exchange ended early. The target is not written any more. */
    void failed(NetException error);
}
