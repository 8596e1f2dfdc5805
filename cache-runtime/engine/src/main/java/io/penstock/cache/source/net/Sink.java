package io.penstock.cache.source.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** Takes the bytes of one body. Used on one event loop. */
sealed interface Sink {

    /** Takes up to {@code length} bytes; returns how many, fewer only when there is no room for more. */
    int take(ByteBuf in, int length);

    long taken();

    /** Gives up its hold on memory. */
    void release();

    /** Native memory of the caller. The kernel may write to it through {@link #window}. */
    final class Target implements Sink {
        private static final long WINDOW = 1 << 30;

        private final MemorySegment memory;
        private long windowStart;
        private ByteBuf window;

        Target(MemorySegment memory) {
            this.memory = memory;
            slide(0);
        }

        /** The part of the target that comes next, writable behind what is there; not retained. */
        ByteBuf window() {
            if (!window.isWritable() && taken() < memory.byteSize()) {
                slide(taken());
            }
            return window;
        }

        long missing() {
            return memory.byteSize() - taken();
        }

        private void slide(long start) {
            if (window != null) {
                window.release();
            }
            windowStart = start;
            MemorySegment part = memory.asSlice(start, Math.min(WINDOW, memory.byteSize() - start));
            window = Unpooled.wrappedBuffer(part.asByteBuffer()).clear();
        }

        @Override
        public int take(ByteBuf in, int length) {
            int done = 0;
            while (done < length && taken() < memory.byteSize()) {
                ByteBuf part = window();
                int n = Math.min(length - done, part.writableBytes());
                part.writeBytes(in, n);
                done += n;
            }
            return done;
        }

        @Override
        public long taken() {
            return windowStart + window.writerIndex();
        }

        @Override
        public void release() {
            window.release();
        }
    }

    /** Bytes on the heap, up to a limit. */
    final class Heap implements Sink {
        private final int limit;
        private byte[] bytes = new byte[0];
        private int size;

        Heap(int limit) {
            this.limit = limit;
        }

        byte[] bytes() {
            return Arrays.copyOf(bytes, size);
        }

        @Override
        public int take(ByteBuf in, int length) {
            int n = Math.min(length, limit - size);
            if (size + n > bytes.length) {
                bytes = Arrays.copyOf(bytes, (int) Math.min(limit, Math.max(size + n, bytes.length * 2L)));
            }
            in.readBytes(bytes, size, n);
            size += n;
            return n;
        }

        @Override
        public long taken() {
            return size;
        }

        @Override
        public void release() {}
    }
}
