package io.penstock.cache.source;

/**
 * Hears of one transfer, on a thread of the source, in order, never concurrently. Calls must return quickly: on a
 * network source they run on the thread that reads the socket.
 */
public interface TransferListener {
    /** {@code total} bytes from the start of the target are filled; grows with each call. */
    void received(long total);

    /** All bytes are there. The last call. */
    void completed();

    /** It ended early; what was received before is valid. The last call. */
    void failed(SourceException error);
}
