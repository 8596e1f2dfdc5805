package io.penstock.cache.control.custody;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.penstock.cache.control.custody.v1.Adopt;
import io.penstock.cache.control.custody.v1.HeldMount;
import io.penstock.cache.control.custody.v1.MountSpec;
import io.penstock.cache.control.custody.v1.Prepared;
import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.model.Locations;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A session as its holder knows it: everything that a new daemon needs to go on. Thread-safe. */
final class HeldSession {
    private static final long BACKING_OPEN = 0x4010E501L;
    private static final long BACKING_CLOSE = 0x4004E502L;

    private final String id;
    private volatile MountSpec spec;
    private final String digest;
    private final long objects;
    private final long bytes;
    private final long mounted;
    private final Fd device;
    private volatile String state;
    private volatile boolean begun;
    private final CountDownLatch gone = new CountDownLatch(1);

    private HeldSession(
            String id, MountSpec spec, String digest, long objects, long bytes, long mounted, Fd device, String state) {
        this.id = id;
        this.spec = spec;
        this.digest = digest;
        this.objects = objects;
        this.bytes = bytes;
        this.mounted = mounted;
        this.device = device;
        this.state = state;
    }

    static HeldSession fresh(String id, MountSpec spec, Prepared prepared, Fd device) {
        long now = System.currentTimeMillis() * 1_000_000;
        return new HeldSession(
                id, spec, prepared.getDigest(), prepared.getObjects(), prepared.getBytes(), now, device, null);
    }

    static HeldSession of(Adopt adopt, Fd device) {
        HeldSession session = new HeldSession(
                adopt.getSession(),
                adopt.getSpec(),
                adopt.getDigest(),
                adopt.getObjects(),
                adopt.getBytes(),
                adopt.getMounted(),
                device,
                adopt.getState());
        session.begun = true;
        return session;
    }

    String id() {
        return id;
    }

    MountSpec spec() {
        return spec;
    }

    Path point() {
        return Path.of(spec.getMountPoint());
    }

    Fd device() {
        return device;
    }

    void state(String newest) {
        state = newest;
    }

    /** The daemon has answered the kernel: from now on a successor can go on. */
    void begun(String first) {
        if (state == null) {
            state = first;
        }
        begun = true;
    }

    boolean isBegun() {
        return begun;
    }

    /** Lets go of the descriptor. */
    void end() {
        device.close();
        gone.countDown();
    }

    /** False when it still goes on after {@code time}. */
    boolean awaitGone(Duration time) throws InterruptedException {
        return gone.await(time.toMillis(), TimeUnit.MILLISECONDS);
    }

    Adopt adopt() {
        return Adopt.newBuilder()
                .setSession(id)
                .setSpec(spec)
                .setDigest(digest)
                .setState(state)
                .setMounted(mounted)
                .setObjects(objects)
                .setBytes(bytes)
                .build();
    }

    /** Takes the place of the environment that the session began with. */
    void environment(Map<String, String> newest) {
        spec = spec.toBuilder().clearEnvironment().putAllEnvironment(newest).build();
    }

    Holder.Held whole() {
        return new Holder.Held(id, spec, digest, objects, bytes);
    }

    HeldMount held() {
        return HeldMount.newBuilder()
                .setSession(id)
                .setLocation(Locations.plain(spec.getLocation()))
                .setMountPoint(spec.getMountPoint())
                .setDigest(digest)
                .setMounted(mounted)
                .build();
    }

    /** Lets the kernel read {@code file} itself; the number that stands for it in this session. */
    int openBacking(Fd file) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment map = arena.allocate(16, 8);
            map.set(JAVA_INT, 0, file.number());
            return device.ioctl(BACKING_OPEN, map);
        }
    }

    void closeBacking(int number) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            device.ioctl(BACKING_CLOSE, arena.allocateFrom(JAVA_INT, number));
        }
    }
}
