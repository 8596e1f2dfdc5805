package io.penstock.bench.origin;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Locale;

/**
 * Finds where the HTTP/1.1 messages of one direction of a connection begin and end. Looks only at heads and chunk sizes;
 * bodies are counted, not read. For one thread.
 */
final class MessageFraming {
    private static final int MAX_LINE = 64 << 10;

    private enum Part {
        HEAD,
        BODY,
        CHUNK_SIZE,
        CHUNK_DATA,
        CHUNK_END,
        TRAILER,
        UNTIL_CLOSE
    }

    private final boolean responses;
    private final StringBuilder text = new StringBuilder();
    private Part part = Part.HEAD;
    private long remaining;
    private long bodyBytes;
    private boolean bodyless;
    private boolean atStart = true;
    private boolean headEnded;
    private String head = "";

    MessageFraming(boolean responses) {
        this.responses = responses;
    }

    /** Whether the next byte begins a message. */
    boolean atStart() {
        return atStart;
    }

    /** Whether the last {@link #advance} ended with the end of a head. */
    boolean headEnded() {
        return headEnded;
    }

    /** The last head that was seen whole. */
    String head() {
        return head;
    }

    /** Body bytes of all messages so far. */
    long bodyBytes() {
        return bodyBytes;
    }

    /** The next response has no body whatever its head says (it answers HEAD). */
    void nextIsBodyless(boolean value) {
        bodyless = value;
    }

    /** Status of the last response head. */
    int status() {
        String[] words = firstLine().split(" ", 3);
        return words.length > 1 ? parse(words[1], 10) : 0;
    }

    /** The first word of the last head: the method of a request. */
    String firstWord() {
        int space = head.indexOf(' ');
        return space < 0 ? head : head.substring(0, space);
    }

    String firstLine() {
        int end = head.indexOf("\r\n");
        return end < 0 ? head : head.substring(0, end);
    }

    /**
     * Follows the bytes of {@code in} between {@code from} and {@code to} until one message or its head ends.
     *
     * @return the index after the last byte that was followed
     */
    int advance(ByteBuffer in, int from, int to) throws IOException {
        int at = from;
        headEnded = false;
        while (at < to) {
            atStart = false;
            switch (part) {
                case BODY, CHUNK_DATA -> {
                    int step = (int) Math.min(remaining, to - at);
                    at += step;
                    remaining -= step;
                    bodyBytes += step;
                    if (remaining == 0) {
                        if (part == Part.BODY) {
                            endMessage();
                            return at;
                        }
                        part = Part.CHUNK_END;
                    }
                }
                case UNTIL_CLOSE -> {
                    bodyBytes += to - at;
                    at = to;
                }
                case HEAD -> {
                    at = line(in, at, to, "\r\n\r\n");
                    if (complete("\r\n\r\n")) {
                        beginBody();
                        return at;
                    }
                }
                case CHUNK_SIZE -> {
                    at = line(in, at, to, "\r\n");
                    if (complete("\r\n")) {
                        remaining = parse(text.toString().split("[;\r]", 2)[0].strip(), 16);
                        text.setLength(0);
                        part = remaining == 0 ? Part.TRAILER : Part.CHUNK_DATA;
                    }
                }
                case CHUNK_END -> {
                    at = line(in, at, to, "\r\n");
                    if (complete("\r\n")) {
                        text.setLength(0);
                        part = Part.CHUNK_SIZE;
                    }
                }
                case TRAILER -> {
                    at = line(in, at, to, "\r\n");
                    if (complete("\r\n")) {
                        boolean last = text.length() == 2;
                        text.setLength(0);
                        if (last) {
                            endMessage();
                            return at;
                        }
                    }
                }
            }
        }
        return at;
    }

    private int line(ByteBuffer in, int from, int to, String end) throws IOException {
        int at = from;
        while (at < to && !complete(end)) {
            text.append((char) (in.get(at++) & 0xff));
            if (text.length() > MAX_LINE) {
                throw new IOException("a head or line of more than " + MAX_LINE + " bytes");
            }
        }
        return at;
    }

    private boolean complete(String end) {
        int length = text.length();
        return length >= end.length() && text.indexOf(end, length - end.length()) >= 0;
    }

    private void beginBody() throws IOException {
        head = text.toString();
        headEnded = true;
        text.setLength(0);
        String lower = head.toLowerCase(Locale.ROOT);
        int status = responses ? status() : 0;
        boolean none = responses && (bodyless || status / 100 == 1 || status == 204 || status == 304);
        String length = header(lower, "content-length");
        if (none) {
            endMessage();
        } else if (header(lower, "transfer-encoding").contains("chunked")) {
            part = Part.CHUNK_SIZE;
        } else if (!length.isEmpty()) {
            remaining = Long.parseLong(length);
            part = Part.BODY;
            if (remaining == 0) {
                endMessage();
            }
        } else if (responses) {
            part = Part.UNTIL_CLOSE;
        } else {
            endMessage();
        }
    }

    private void endMessage() {
        part = Part.HEAD;
        atStart = true;
    }

    private static String header(String lowerHead, String name) {
        int at = lowerHead.indexOf("\r\n" + name + ":");
        if (at < 0) {
            return "";
        }
        int from = at + name.length() + 3;
        return lowerHead.substring(from, lowerHead.indexOf("\r\n", from)).strip();
    }

    private static int parse(String number, int radix) {
        try {
            return Integer.parseInt(number, radix);
        } catch (NumberFormatException e) {
            throw new IllegalStateException("not a number: " + number, e);
        }
    }
}
