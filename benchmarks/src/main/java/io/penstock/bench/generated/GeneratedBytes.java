package io.penstock.bench.generated;

import java.nio.ByteBuffer;

/** An object of given bytes. */
public record GeneratedBytes(ByteBuffer content) implements GeneratedObject {
    public GeneratedBytes {
        content = content.asReadOnlyBuffer();
    }

    @Override
    public long size() {
        return content.remaining();
    }

    @Override
    public void read(ByteBuffer into, long offset) {
        into.put(content.slice((int) offset, into.remaining()));
    }
}
