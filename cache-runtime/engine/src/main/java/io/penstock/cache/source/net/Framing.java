package io.penstock.cache.source.net;

import io.netty.buffer.ByteBuf;
import io.penstock.cache.source.net.NetException.Kind;

/** Finds the end of a body in the bytes of a connection. */
sealed interface Framing {

    /** What came of a piece of body. */
    enum Progress {
        MORE,
        END,
        /** A collected body has reached its limit. */
        FULL
    }

    /** Passes body bytes from {@code in} to {@code sink}. */
    Progress feed(ByteBuf in, Sink sink) throws NetException;

    /** The connection has ended; true when that is how this body ends. */
    boolean endsWithConnection();

    /** A body of stated length. */
    final class Length implements Framing {
        private final long length;

        Length(long length) {
            this.length = length;
        }

        @Override
        public Progress feed(ByteBuf in, Sink sink) throws NetException {
            int wanted = (int) Math.min(in.readableBytes(), length - sink.taken());
            if (!pass(in, sink, wanted)) {
                return Progress.FULL;
            }
            return isComplete(sink) ? Progress.END : Progress.MORE;
        }

        boolean isComplete(Sink sink) {
            return sink.taken() == length;
        }

        @Override
        public boolean endsWithConnection() {
            return false;
        }
    }

    /** A body that lasts as long as its connection. */
    final class Rest implements Framing {
        @Override
        public Progress feed(ByteBuf in, Sink sink) throws NetException {
            return pass(in, sink, in.readableBytes()) ? Progress.MORE : Progress.FULL;
        }

        @Override
        public boolean endsWithConnection() {
            return true;
        }
    }

    /** A body in chunks, each behind its length in hexadecimal digits. */
    final class Chunked implements Framing {
        private static final int MAX_LINE = 4096;
        private static final int MAX_TRAILERS = 64;

        private enum State {
            SIZE,
            DATA,
            DATA_END,
            TRAILER
        }

        private final StringBuilder line = new StringBuilder();
        private State state = State.SIZE;
        private long left;
        private int trailers;

        @Override
        public Progress feed(ByteBuf in, Sink sink) throws NetException {
            while (in.isReadable()) {
                if (state == State.DATA) {
                    int n = (int) Math.min(in.readableBytes(), left);
                    if (!pass(in, sink, n)) {
                        return Progress.FULL;
                    }
                    left -= n;
                    if (left == 0) {
                        state = State.DATA_END;
                    }
                } else if (readLine(in) && endOfLine()) {
                    return Progress.END;
                }
            }
            return Progress.MORE;
        }

        private boolean readLine(ByteBuf in) throws NetException {
            while (in.isReadable()) {
                char c = (char) (in.readByte() & 0xff);
                if (c == '\n') {
                    return true;
                }
                if (c != '\r') {
                    line.append(c);
                }
                if (line.length() > MAX_LINE) {
                    throw new NetException(Kind.PROTOCOL, "a line of its chunked body is too long", null);
                }
            }
            return false;
        }

        private boolean endOfLine() throws NetException {
            String text = line.toString();
            line.setLength(0);
            switch (state) {
                case SIZE -> {
                    left = size(text);
                    state = left == 0 ? State.TRAILER : State.DATA;
                }
                case DATA_END -> {
                    if (!text.isEmpty()) {
                        throw new NetException(Kind.PROTOCOL, "its chunked body does not fit together", null);
                    }
                    state = State.SIZE;
                }
                case TRAILER -> {
                    if (++trailers > MAX_TRAILERS) {
                        throw new NetException(Kind.PROTOCOL, "its chunked body has too many trailers", null);
                    }
                    return text.isEmpty();
                }
                case DATA -> throw new IllegalStateException("data has no lines");
            }
            return false;
        }

        private static long size(String text) throws NetException {
            int end = text.indexOf(';');
            String digits = (end < 0 ? text : text.substring(0, end)).strip();
            if (digits.isEmpty()
                    || digits.length() > 15
                    || !digits.chars().allMatch(c -> Character.digit(c, 16) >= 0)) {
                throw new NetException(Kind.PROTOCOL, "a chunk of its body has no length", null);
            }
            return Long.parseLong(digits, 16);
        }

        @Override
        public boolean endsWithConnection() {
            return false;
        }
    }

    private static boolean pass(ByteBuf in, Sink sink, int length) throws NetException {
        if (sink.take(in, length) == length) {
            return true;
        }
        if (sink instanceof Sink.Heap) {
            return false;
        }
        throw new NetException(Kind.PROTOCOL, "its body is longer than the range asked for", null);
    }
}
