package io.penstock.cache.source.s3;

/**
 * Walks through the elements of the plain XML that S3 answers with. It knows no document types, no entities but the
 * five of XML itself and numbers, and no CDATA, so nothing in an answer can make it fetch or expand anything.
 */
final class XmlScanner {
    private final String text;
    private int at;
    private String name = "";
    private String value = "";

    /** What {@link #next} came to. */
    enum Token {
        START,
        END,
        FINISHED
    }

    XmlScanner(String text) {
        this.text = text;
    }

    /** The element that has just started or ended, without its prefix. */
    String name() {
        return name;
    }

    /** At {@code END}: the text since the tag before. */
    String value() {
        return value;
    }

    /** @throws MalformedXml when the text is not of the kind understood here */
    Token next() throws MalformedXml {
        while (true) {
            int open = text.indexOf('<', at);
            if (open < 0) {
                return Token.FINISHED;
            }
            int close = text.indexOf('>', open);
            if (close < 0) {
                throw new MalformedXml("a tag does not end");
            }
            String tag = text.substring(open + 1, close);
            if (tag.startsWith("?")) {
                at = close + 1;
                continue;
            }
            if (tag.startsWith("!--")) {
                int end = text.indexOf("-->", open + 4);
                if (end < 0) {
                    throw new MalformedXml("a comment does not end");
                }
                at = end + 3;
                continue;
            }
            if (tag.startsWith("!")) {
                throw new MalformedXml("it declares a document type or CDATA");
            }
            return tag(tag, open, close);
        }
    }

    private Token tag(String tag, int open, int close) throws MalformedXml {
        if (tag.startsWith("/")) {
            name = local(tag.substring(1).strip());
            value = unescape(text.substring(at, open));
            at = close + 1;
            return Token.END;
        }
        int end = 0;
        while (end < tag.length() && !Character.isWhitespace(tag.charAt(end)) && tag.charAt(end) != '/') {
            end++;
        }
        name = local(tag.substring(0, end));
        if (tag.endsWith("/")) {
            // An empty element is told of as its end, which comes next.
            value = "";
            at = close + 1;
            return Token.END;
        }
        at = close + 1;
        return Token.START;
    }

    private static String local(String qualified) throws MalformedXml {
        String local = qualified.substring(qualified.indexOf(':') + 1);
        if (local.isEmpty()) {
            throw new MalformedXml("a tag has no name");
        }
        return local;
    }

    private static String unescape(String raw) throws MalformedXml {
        int amp = raw.indexOf('&');
        if (amp < 0) {
            return raw;
        }
        StringBuilder out = new StringBuilder(raw.length());
        int from = 0;
        while (amp >= 0) {
            int end = raw.indexOf(';', amp);
            if (end < 0 || end - amp > 10) {
                throw new MalformedXml("an entity does not end");
            }
            out.append(raw, from, amp);
            entity(raw.substring(amp + 1, end), out);
            from = end + 1;
            amp = raw.indexOf('&', from);
        }
        return out.append(raw, from, raw.length()).toString();
    }

    private static void entity(String entity, StringBuilder out) throws MalformedXml {
        switch (entity) {
            case "amp" -> out.append('&');
            case "lt" -> out.append('<');
            case "gt" -> out.append('>');
            case "quot" -> out.append('"');
            case "apos" -> out.append('\'');
            default -> {
                try {
                    boolean hex = entity.startsWith("#x");
                    int code = Integer.parseInt(entity.substring(hex ? 2 : 1), hex ? 16 : 10);
                    if (!entity.startsWith("#") || !Character.isValidCodePoint(code)) {
                        throw new MalformedXml("it uses an entity that is none of XML's own");
                    }
                    out.appendCodePoint(code);
                } catch (NumberFormatException e) {
                    throw new MalformedXml("it uses an entity that is none of XML's own");
                }
            }
        }
    }

    /** The text cannot be understood. */
    static final class MalformedXml extends Exception {
        private static final long serialVersionUID = 1;

        MalformedXml(String why) {
            super(why);
        }
    }
}
