package io.penstock.cache.source.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.penstock.cache.source.net.NetException.Kind;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * One kept-alive connection, carrying one exchange at a time. {@link #begin}, {@link #cancel} and {@link #close} may be
 * called from anywhere; the rest runs on the event loop.
 *
 * <pre>
 * IDLE --begin--> HEAD --head--> BODY --last byte--> IDLE
 *   \______________\______________\____ any error, cancel, close ____> CLOSED
 * </pre>
 */
final class Connection extends ChannelInboundHandlerAdapter {
    private static final int HEAD_BUFFER = 4 << 10;
    private static final int COLLECT_BUFFER = 64 << 10;
    private static final int TLS_BUFFER = 256 << 10;

    private enum Phase {
        IDLE,
        HEAD,
        BODY,
        CLOSED
    }

    private final Pool pool;
    private final NetOptions options;
    private final Authority authority;
    private final Proxy absoluteTo;
    private final HeadParser parser = new HeadParser();
    private final Watch watch;

    private ChannelHandlerContext context;
    private Phase phase = Phase.IDLE;
    private Exchange exchange;
    private Framing framing;
    private Sink sink;
    private boolean keepAlive;
    private boolean used;
    private boolean heard;
    private boolean straight;
    private long told;
    private volatile long idleSince = System.nanoTime();

    /** @param absoluteTo the proxy to ask with absolute targets, or null */
    Connection(Pool pool, NetOptions options, Authority authority, Proxy absoluteTo) {
        this.pool = pool;
        this.options = options;
        this.authority = authority;
        this.absoluteTo = absoluteTo;
        this.watch = new Watch();
    }

    @Override
    public void handlerAdded(ChannelHandlerContext added) {
        context = added;
    }

    /** Idle for so short a time that the origin most likely has not closed it. */
    boolean isFresh(long now) {
        return now - idleSince < options.keepAlive().toNanos();
    }

    void begin(Exchange next) {
        context.executor().execute(() -> start(next));
    }

    private void start(Exchange next) {
        if (!next.carriedBy(this)) {
            pool.free(this);
            next.handler().failed(Exchange.cancelledError());
            return;
        }
        if (phase != Phase.IDLE) {
            pool.submit(next);
            return;
        }
        exchange = next;
        heard = false;
        told = 0;
        phase = Phase.HEAD;
        ByteBuf request = next.request().encode(context.alloc(), absoluteTo);
        watch.arm(options.firstByteTimeout().toNanos());
        var _ = context.writeAndFlush(request).addListener(written -> {
            if (!written.isSuccess() && exchange == next) {
                lost(written.cause());
            }
        });
    }

    /** The memory for the next read of the socket: the caller's own, where the bytes that come can only be body. */
    ByteBuf nextBuffer(ByteBufAllocator allocator) {
        straight = false;
        if (authority.tls()) {
            return allocator.directBuffer(TLS_BUFFER, TLS_BUFFER);
        }
        if (phase == Phase.BODY) {
            if (sink instanceof Sink.Target target && framing instanceof Framing.Length) {
                straight = true;
                return target.window().retain();
            }
            return allocator.directBuffer(COLLECT_BUFFER, COLLECT_BUFFER);
        }
        return allocator.directBuffer(HEAD_BUFFER, HEAD_BUFFER);
    }

    @Override
    public void channelRead(ChannelHandlerContext ignored, Object message) {
        ByteBuf in = (ByteBuf) message;
        try {
            if (straight) {
                in.readerIndex(in.writerIndex());
                progressed(((Framing.Length) framing).isComplete(sink) ? Framing.Progress.END : Framing.Progress.MORE);
            } else {
                consume(in);
            }
        } catch (NetException e) {
            fail(e.kind(), e.getMessage(), e.getCause());
        } finally {
            in.release();
        }
    }

    private void consume(ByteBuf in) throws NetException {
        while (in.isReadable()) {
            switch (phase) {
                case IDLE -> {
                    // An answer nobody asked for, such as 408 before closing.
                    shut();
                    return;
                }
                case HEAD -> {
                    heard = true;
                    ResponseHead head = parser.feed(in);
                    if (head != null) {
                        answered(head);
                    }
                }
                case BODY -> {
                    long before = sink.taken();
                    Framing.Progress progress = framing.feed(in, sink);
                    if (sink.taken() > before || progress != Framing.Progress.MORE) {
                        progressed(progress);
                    }
                }
                case CLOSED -> {
                    return;
                }
            }
        }
    }

    private void answered(ResponseHead head) throws NetException {
        int status = head.status();
        if (status / 100 == 1) {
            if (status == 101) {
                throw new NetException(Kind.PROTOCOL, "it switches to a protocol nobody asked for", null);
            }
            return;
        }
        keepAlive = head.keepAlive();
        boolean chunked = head.chunked();
        long length = chunked ? -1 : head.contentLength();
        boolean empty = exchange.request().isHead() || status == 204 || status == 304 || length == 0;
        switch (exchange.handler().head(head)) {
            case Body.Into into -> {
                if (empty || (length >= 0 && length != into.target().byteSize())) {
                    throw new NetException(Kind.PROTOCOL, "its body has another length than the range asked for", null);
                }
                sink = new Sink.Target(into.target());
            }
            case Body.Collect collect -> sink = new Sink.Heap(collect.limit());
            case Body.Refuse ignored -> {
                end(new byte[0], false);
                return;
            }
        }
        if (empty) {
            end(new byte[0], true);
            return;
        }
        framing = chunked ? new Framing.Chunked() : length >= 0 ? new Framing.Length(length) : new Framing.Rest();
        phase = Phase.BODY;
        watch.body();
    }

    private void progressed(Framing.Progress progress) {
        watch.touched();
        if (sink instanceof Sink.Target && sink.taken() > told) {
            told = sink.taken();
            exchange.handler().received(told);
        }
        switch (progress) {
            case MORE -> {}
            case END -> finish(true);
            case FULL -> finish(false);
        }
    }

    private void finish(boolean reusable) {
        if (sink instanceof Sink.Target target && target.missing() > 0) {
            fail(Kind.BROKEN, "its body ended " + target.missing() + " bytes short", null);
            return;
        }
        end(sink instanceof Sink.Heap heap ? heap.bytes() : new byte[0], reusable);
    }

    /** Makes the connection ready for others first, as the handler may well send the next request. */
    private void end(byte[] collected, boolean reusable) {
        Exchange done = exchange;
        reset();
        if (reusable && keepAlive) {
            phase = Phase.IDLE;
            used = true;
            idleSince = System.nanoTime();
            pool.free(this);
        } else {
            shut();
        }
        done.handler().completed(collected);
    }

    private void reset() {
        watch.disarm();
        exchange = null;
        framing = null;
        if (sink != null) {
            sink.release();
            sink = null;
        }
    }

    private void shut() {
        if (phase != Phase.CLOSED) {
            phase = Phase.CLOSED;
            pool.closed(this);
            var _ = context.close();
        }
    }

    private void fail(Kind kind, String message, Throwable cause) {
        Exchange failed = exchange;
        reset();
        shut();
        if (failed != null) {
            failed.handler().failed(pool.failure(kind, message, cause));
        }
    }

    /** The connection is gone; the request may go out again if the origin cannot have answered it. */
    private void lost(Throwable cause) {
        if (phase == Phase.HEAD && used && !heard && exchange.mayResend()) {
            Exchange again = exchange;
            reset();
            shut();
            pool.resend(again);
            return;
        }
        if (phase == Phase.BODY && cause == null && framing.endsWithConnection()) {
            finish(false);
            return;
        }
        String what = phase == Phase.BODY
                ? "the connection ended after " + sink.taken() + " bytes of the body"
                : "the connection ended before the answer";
        fail(Kind.BROKEN, what, cause);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ignored) {
        lost(null);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ignored, Throwable cause) {
        lost(cause);
    }

    /** Ends {@code cancelled} if it is still carried here. */
    void cancel(Exchange cancelled) {
        context.executor().execute(() -> {
            if (exchange == cancelled) {
                fail(Kind.CANCELLED, "it was cancelled", null);
            }
        });
    }

    /** Ends whatever is carried here, and the connection. */
    void cancel() {
        context.executor().execute(() -> fail(Kind.CANCELLED, "the source was closed", null));
    }

    /** Closes an idle connection. */
    void close() {
        context.executor().execute(this::shut);
    }

    /** Ends an exchange whose bytes do not come. */
    private final class Watch implements Runnable {
        private Future<?> timer;
        private long lastByte;
        private long windowStart;
        private long windowBytes;

        void arm(long nanos) {
            disarm();
            timer = context.executor().schedule(this, nanos, TimeUnit.NANOSECONDS);
        }

        void body() {
            lastByte = System.nanoTime();
            windowStart = lastByte;
            windowBytes = 0;
            arm(options.idleTimeout().toNanos());
        }

        void touched() {
            lastByte = System.nanoTime();
        }

        void disarm() {
            if (timer != null) {
                timer.cancel(false);
                timer = null;
            }
        }

        @Override
        public void run() {
            timer = null;
            if (phase == Phase.HEAD) {
                long ms = options.firstByteTimeout().toMillis();
                fail(Kind.FIRST_BYTE_TIMEOUT, "no answer within " + ms + " ms", null);
            } else if (phase == Phase.BODY) {
                checkBody(System.nanoTime());
            }
        }

        private void checkBody(long now) {
            long idle = options.idleTimeout().toNanos();
            if (now - lastByte >= idle) {
                long ms = options.idleTimeout().toMillis();
                fail(Kind.STALLED, "no byte within " + ms + " ms, after " + sink.taken() + " bytes", null);
                return;
            }
            if (now - windowStart >= idle) {
                double seconds = (now - windowStart) / 1e9;
                if (sink.taken() - windowBytes < options.minBytesPerSecond() * seconds) {
                    fail(Kind.STALLED, "fewer than " + options.minBytesPerSecond() + " bytes a second came", null);
                    return;
                }
                windowStart = now;
                windowBytes = sink.taken();
            }
            arm(Math.min(lastByte, windowStart) + idle - now);
        }
    }
}
