package io.penstock.cache.read;

import io.penstock.cache.linux.Fd;
import io.penstock.cache.model.Entry;

/** Reads one object for one open file. Thread-safe; concurrent reads are the rule. */
public interface ObjectReader extends AutoCloseable {

    Entry entry();

    /**
     * Gathers bytes {@code [offset, offset + length)}, cut at the end of the object, into {@code reply}.
     *
     * @param wait false: answer false at once when the bytes are not here (they are then being fetched, as for a waiting
     *     reader); true: wait for them
     * @return true when {@code reply} holds the bytes
     * @throws ReadException when the bytes cannot be had; the reply is then empty
     * @throws InterruptedException the wait was given up; the reply is then empty
     */
    boolean read(long offset, int length, ReadReply reply, boolean wait) throws ReadException, InterruptedException;

    /** True once the object is complete. */
    boolean complete();

    /** The complete object's file; {@link #close} closes it. */
    Fd file() throws ReadException;

    @Override
    void close();
}
