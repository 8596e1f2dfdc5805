package io.penstock.cache.model;

/** Locations as they may be shown: in messages, logs and the mount table, which every user can read. */
public final class Locations {
    private static final String AUTHORITY = "://";

    private Locations() {}

    /** A location without what may be secret in it: user, password and query. */
    public static String plain(String location) {
        String text = location;
        int scheme = text.indexOf(AUTHORITY);
        if (scheme >= 0) {
            int host = scheme + AUTHORITY.length();
            int query = text.indexOf('?');
            if (query >= 0 && text.startsWith("http")) {
                text = text.substring(0, query);
            }
            int path = text.indexOf('/', host);
            int at = text.lastIndexOf('@', path < 0 ? text.length() : path);
            if (at > scheme) {
                text = text.substring(0, host) + text.substring(at + 1);
            }
        }
        return text;
    }
}
