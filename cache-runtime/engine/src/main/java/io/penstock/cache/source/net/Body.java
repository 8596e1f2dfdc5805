package io.penstock.cache.source.net;

import java.lang.foreign.MemorySegment;

/** Where the body of a response goes. */
public sealed interface Body {
    Body REFUSE = new Refuse();

    /** Fills native memory, in order; a body of another length is an error. */
    record Into(MemorySegment target) implements Body {
        public Into {
            if (!target.isNative() || target.byteSize() == 0) {
                throw new IllegalArgumentException("the target must be native memory of at least a byte");
            }
        }
    }

    /** Keeps the first {@code limit} bytes; the connection is closed when there are more. */
    record Collect(int limit) implements Body {}

    /** Closes the connection unread. */
    record Refuse() implements Body {}
}
