package io.penstock.cache.source.net;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Collects the bytes of a response head until its empty line, then reads it. Not thread-safe. */
final class HeadParser {
    static final int MAX_BYTES = 64 << 10;
    private static final int MAX_FIELDS = 256;

    private byte[] bytes = new byte[2048];
    private int length;
    private int lineStart;

    /** Takes bytes up to the end of the head; the head when it is complete, else null. */
    ResponseHead feed(ByteBuf in) throws NetException {
        while (in.isReadable()) {
            byte b = in.readByte();
            if (length == bytes.length) {
                if (length >= MAX_BYTES) {
                    throw broken("its response head is longer than " + MAX_BYTES + " bytes");
                }
                bytes = Arrays.copyOf(bytes, length * 2);
            }
            bytes[length++] = b;
            if (b == '\n') {
                int content = length - 1 - lineStart;
                boolean empty = content == 0 || (content == 1 && bytes[lineStart] == '\r');
                if (empty && lineStart > 0) {
                    return parse();
                }
                lineStart = length;
            }
        }
        return null;
    }

    private ResponseHead parse() throws NetException {
        String text = new String(bytes, 0, length, StandardCharsets.ISO_8859_1);
        length = 0;
        lineStart = 0;
        int end = text.indexOf('\n');
        String first = text.substring(0, end).strip();
        if (first.length() < 12 || !first.startsWith("HTTP/1.") || first.charAt(8) != ' ') {
            throw broken("it does not speak HTTP/1.1");
        }
        int status = status(first);
        List<String> fields = new ArrayList<>(32);
        int at = end + 1;
        while (at < text.length()) {
            int next = text.indexOf('\n', at);
            String line = text.substring(at, next).strip();
            if (line.isEmpty()) {
                break;
            }
            int colon = line.indexOf(':');
            if (colon <= 0 || text.charAt(at) <= ' ' || fields.size() >= 2 * MAX_FIELDS) {
                throw broken("its response head holds a line that is no header");
            }
            fields.add(line.substring(0, colon));
            fields.add(line.substring(colon + 1).strip());
            at = next + 1;
        }
        return new ResponseHead(status, first.charAt(7) >= '1', fields);
    }

    private static int status(String line) throws NetException {
        int status = 0;
        for (int i = 9; i < 12; i++) {
            int digit = line.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                throw broken("its status line holds no status");
            }
            status = status * 10 + digit;
        }
        return status;
    }

    private static NetException broken(String what) {
        return new NetException(NetException.Kind.PROTOCOL, what, null);
    }
}
