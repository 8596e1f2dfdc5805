package io.penstock.cache.source.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;

/** Lets a connection say into which memory the next read of its socket goes. */
final class ReceiveBuffers extends DefaultMaxMessagesRecvByteBufAllocator {
    private final Connection connection;

    ReceiveBuffers(Connection connection) {
        this.connection = connection;
    }

    @Override
    @SuppressWarnings("deprecation") // Netty still asks for the older handle type here.
    public RecvByteBufAllocator.Handle newHandle() {
        return new MaxMessageHandle() {
            @Override
            public ByteBuf allocate(ByteBufAllocator allocator) {
                return connection.nextBuffer(allocator);
            }

            @Override
            public int guess() {
                return 0;
            }
        };
    }
}
