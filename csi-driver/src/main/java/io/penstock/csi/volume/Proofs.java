package io.penstock.csi.volume;

import com.google.protobuf.CodedOutputStream;
import io.penstock.cache.control.custody.v1.MountSpec;
import io.penstock.cache.control.custody.v1.Prepared;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * What was shown a moment ago, to be readable with the very same credentials: pods that come together ask the origin once. Only
 * what succeeded is kept, and no secret: what was asked is known by a keyed digest. Thread-safe.
 */
final class Proofs {
    /** From the beginning of the request on. Also how long a new object may go unseen by another pod's volume. */
    static final Duration FRESH = Duration.ofSeconds(2);

    private final byte[] key = new byte[32];
    private final Map<String, Proof> proofs = new HashMap<>();
    private final LongSupplier clock;

    private record Proof(Prepared prepared, long begun) {}

    /** @param clock nanoseconds */
    Proofs(LongSupplier clock) {
        this.clock = clock;
        new SecureRandom().nextBytes(key);
    }

    /** @param begun by the clock, before the origin was asked */
    synchronized void add(MountSpec what, Prepared prepared, long begun) {
        if (prepared.getNotesCount() == 0) { // else it is a stored snapshot, as the origin did not answer
            proofs.put(digest(what), new Proof(prepared, begun));
        }
    }

    synchronized Optional<Prepared> fresh(MountSpec what) {
        long now = clock.getAsLong();
        proofs.values().removeIf(p -> now - p.begun() > FRESH.toNanos());
        return Optional.ofNullable(proofs.get(digest(what))).map(Proof::prepared);
    }

    private String digest(MountSpec what) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        out.useDeterministicSerialization();
        try {
            what.toBuilder()
                    .clearMountPoint()
                    .clearPrefetch()
                    .clearProve()
                    .build()
                    .writeTo(out);
            out.flush();
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(key);
            return HexFormat.of().formatHex(digest.digest(bytes.toByteArray()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
