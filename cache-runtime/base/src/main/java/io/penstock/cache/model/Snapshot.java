package io.penstock.cache.model;

import static java.util.Objects.requireNonNull;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;

/**
 * An immutable list of objects, sorted by path, and the digest over it. A mount serves one snapshot for its life.
 *
 * @param source what the snapshot was resolved from, without secrets, for example {@code s3://bucket/prefix}
 * @param digest {@code sha256:} and 64 hex digits over origin, key, path, version and size of every entry
 */
public record Snapshot(String source, String digest, List<Entry> entries) {
    public Snapshot {
        requireNonNull(source);
        requireNonNull(digest);
        entries = List.copyOf(entries);
    }

    /** Sorts the entries and digests them. Two entries with one path are refused. */
    public static Snapshot of(String source, List<Entry> entries) {
        List<Entry> sorted = new ArrayList<>(entries);
        sorted.sort(Comparator.comparing(Entry::path));
        MessageDigest sha = sha256();
        String last = null;
        for (Entry entry : sorted) {
            if (entry.path().equals(last)) {
                throw new IllegalArgumentException("two objects claim the path " + last);
            }
            last = entry.path();
            ObjectId object = entry.object();
            for (String part : List.of(entry.path(), object.origin(), object.key(), object.version())) {
                sha.update(part.getBytes(StandardCharsets.UTF_8));
                sha.update((byte) 0);
            }
            sha.update(Long.toString(object.size()).getBytes(StandardCharsets.UTF_8));
            sha.update((byte) '\n');
        }
        return new Snapshot(source, "sha256:" + HexFormat.of().formatHex(sha.digest()), sorted);
    }

    /** The first six hex digits: enough to tell snapshots apart in a table. */
    public String shortId() {
        return digest.substring("sha256:".length()).substring(0, 6);
    }

    public long totalBytes() {
        return entries.stream().mapToLong(e -> e.object().size()).sum();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
