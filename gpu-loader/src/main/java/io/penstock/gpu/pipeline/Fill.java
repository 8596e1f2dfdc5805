package io.penstock.gpu.pipeline;

import io.penstock.cache.model.PenstockException;
import io.penstock.gpu.device.Destination;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/**
 * Something to bring into a destination as one: it is done when its last part is there, or when one has failed and none is
 * under way any more.
 */
public final class Fill {
    /** A stretch of a file, and where it goes. */
    public record Part(int file, long fileOffset, long length, long at) {}

    private final Destination to;
    private final List<Part> parts;
    private final Consumer<Fill> whenDone;
    private final AtomicInteger pending = new AtomicInteger();
    private final AtomicReference<PenstockException> failure = new AtomicReference<>();

    /** @param whenDone called once, on a thread of the pipeline; must not block for long */
    public Fill(Destination to, List<Part> parts, Consumer<Fill> whenDone) {
        this.to = to;
        this.parts = List.copyOf(parts);
        this.whenDone = whenDone;
    }

    Destination to() {
        return to;
    }

    List<Part> parts() {
        return parts;
    }

    void begin(int pieces) {
        pending.set(pieces);
        if (pieces == 0) {
            whenDone.accept(this);
        }
    }

    void fail(PenstockException e) {
        failure.compareAndSet(null, e);
    }

    /** How many parts. */
    public int size() {
        return parts.size();
    }

    boolean failed() {
        return failure.get() != null;
    }

    void pieceDone() {
        if (pending.decrementAndGet() == 0) {
            whenDone.accept(this);
        }
    }

    /** What went wrong first; null: nothing. */
    public PenstockException failure() {
        return failure.get();
    }
}
