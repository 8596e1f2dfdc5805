package io.penstock.cache.chunk;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.penstock.cache.model.ObjectId;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** How an object's files are called: the first half of a SHA-256 over its identity. */
final class Names {
    static final String DATA = ".data";
    static final String HEAD = ".head";

    private static final int STEM = 32;
    private static final byte[] NUL = {0};

    private Names() {}

    static String of(ObjectId object) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (String part : new String[] {object.origin(), object.key(), object.version()}) {
                digest.update(part.getBytes(UTF_8));
                digest.update(NUL);
            }
            digest.update(Long.toString(object.size()).getBytes(UTF_8));
            return HexFormat.of().formatHex(digest.digest(), 0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    static boolean ours(String file) {
        boolean suffix = file.startsWith(DATA, STEM) || file.startsWith(HEAD, STEM);
        if (!suffix || file.length() != STEM + DATA.length()) {
            return false;
        }
        for (int i = 0; i < STEM; i++) {
            char c = file.charAt(i);
            if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
                return false;
            }
        }
        return true;
    }

    static String stem(String file) {
        return file.substring(0, STEM);
    }
}
