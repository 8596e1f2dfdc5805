package io.penstock.cache.mount.fuse;

import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.UnixSocket;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The kernel's end of a session, on a socket that keeps messages apart. Sends whatever it is given and knows which of it
 * must be answered.
 */
final class FuseKernel implements AutoCloseable {
    private static final int WINDOW = 64;
    private static final int REPLY = 1 << 18;
    private static final int PATIENCE_SECONDS = 60;

    /** An open file, which may have been released since. */
    record Open(long node, long handle) {}

    private record Asked(int opcode, boolean whole, int body) {
        /** Whether the message is too short to be understood. */
        boolean deficient() {
            return !whole || body < LEAST_BODY.getOrDefault(opcode, 0);
        }
    }

    private static final Map<Integer, Integer> LEAST_BODY = Map.of(
            Wire.LOOKUP, 2,
            Wire.OPEN, 8,
            Wire.READ, 20,
            Wire.RELEASE, 8,
            Wire.GETXATTR, 9,
            Wire.LISTXATTR, 8,
            Wire.READDIR, 20,
            Wire.READDIRPLUS, 20);

    private final UnixSocket socket;
    private final Thread receiver;
    private final AtomicLong unique = new AtomicLong(2);
    /** Requests under way, by number. */
    private final Map<Long, Asked> asked = new ConcurrentHashMap<>();
    /** The nodes of opens under way. */
    private final Map<Long, Long> opening = new ConcurrentHashMap<>();
    /** Interrupts under way: answered or not. */
    private final Set<Long> optional = ConcurrentHashMap.newKeySet();

    private final Map<Long, byte[]> kept = new ConcurrentHashMap<>();
    private final Map<Integer, Integer> errors = new TreeMap<>();
    private final ConcurrentLinkedQueue<String> breaches = new ConcurrentLinkedQueue<>();
    private final Semaphore window = new Semaphore(WINDOW);
    private final AtomicReferenceArray<Open> files = new AtomicReferenceArray<>(16);
    private final AtomicInteger fileAt = new AtomicInteger();
    private volatile boolean ending;

    FuseKernel(UnixSocket socket) {
        this.socket = socket;
        this.receiver = Thread.ofPlatform().daemon().name("fuse-kernel").unstarted(this::receive);
    }

    /** The first request, with every flag on offer. */
    void init() throws ErrnoException {
        ByteBuffer init = ByteBuffer.allocate(Wire.IN_HEADER + 64).order(ByteOrder.nativeOrder());
        init.putInt(init.capacity()).putInt(Wire.INIT).putLong(1).putLong(0);
        init.putInt(40, Wire.MAJOR)
                .putInt(44, Wire.MINOR)
                .putInt(48, 1 << 20)
                .putInt(52, -1)
                .putInt(56, -1);
        asked.put(1L, new Asked(Wire.INIT, true, 64));
        socket.send(init.array());
    }

    void start() {
        receiver.start();
    }

    long nextUnique() {
        return unique.getAndIncrement();
    }

    Open someFile(Random random) {
        Open file = files.get(random.nextInt(files.length()));
        return file != null ? file : new Open(1, random.nextLong());
    }

    long someUnique(Random random) {
        return unique.get() - random.nextInt(WINDOW);
    }

    /** Sends a message; waits while too many are unanswered. */
    void send(byte[] message) throws ErrnoException, InterruptedException {
        if (mustBeAnswered(message) && !window.tryAcquire(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError("no answer to any of " + asked + "; " + breaches);
        }
        socket.send(message);
    }

    /** Notes the request when it must be. */
    private boolean mustBeAnswered(byte[] message) {
        if (message.length < Wire.IN_HEADER) {
            return false;
        }
        ByteBuffer header = ByteBuffer.wrap(message).order(ByteOrder.nativeOrder());
        long number = header.getLong(8);
        int opcode = header.getInt(4);
        boolean whole = header.getInt(0) == message.length;
        if (number == 0 || (whole && (opcode == Wire.FORGET || opcode == Wire.BATCH_FORGET))) {
            return false;
        }
        if (whole && opcode == Wire.INTERRUPT) {
            optional.add(number);
            return false;
        }
        if (opcode == Wire.OPEN) {
            opening.put(number, header.getLong(16));
        }
        asked.put(number, new Asked(opcode, whole, message.length - Wire.IN_HEADER));
        return true;
    }

    private void receive() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(REPLY, 8);
            while (true) {
                UnixSocket.Message message = socket.receive(buffer);
                if (message.end()) {
                    return;
                }
                answered(buffer.asSlice(0, message.bytes()));
            }
        } catch (ErrnoException e) {
            if (!ending) {
                breaches.add(e.toString());
            }
        }
    }

    private void answered(MemorySegment message) {
        long length = message.byteSize();
        if (length < Wire.OUT_HEADER || message.get(ValueLayout.JAVA_INT, 0) != length) {
            breaches.add("an answer of " + length + " bytes that is none");
            return;
        }
        int error = -message.get(ValueLayout.JAVA_INT, 4);
        long number = message.get(ValueLayout.JAVA_LONG, 8);
        Asked request = asked.remove(number);
        if (request == null) {
            if (!optional.remove(number)) {
                breaches.add("an answer to " + number + ", which nobody asked or which was answered before");
            }
            return;
        }
        if (error < 0 || error > 511 || (error != 0 && length != Wire.OUT_HEADER)) {
            breaches.add("error " + error + " with " + length + " bytes to " + request);
        }
        if (error == 0 && request.deficient()) {
            breaches.add("success of " + request);
        }
        synchronized (errors) {
            errors.merge(error, 1, Integer::sum);
        }
        Long node = opening.remove(number);
        if (request.opcode == Wire.OPEN && error == 0 && node != null) {
            files.set(
                    Math.floorMod(fileAt.getAndIncrement(), files.length()),
                    new Open(node, message.get(ValueLayout.JAVA_LONG, Wire.OUT_HEADER)));
        }
        if (kept.containsKey(number)) {
            kept.put(number, message.toArray(ValueLayout.JAVA_BYTE));
        }
        window.release();
    }

    /** A request in order, and its answer with the header. */
    ByteBuffer ask(int opcode, long node, byte[] body) {
        long number = nextUnique();
        ByteBuffer message = ByteBuffer.allocate(Wire.IN_HEADER + body.length).order(ByteOrder.nativeOrder());
        message.putInt(message.capacity()).putInt(opcode).putLong(number).putLong(node);
        message.put(Wire.IN_HEADER, body);
        byte[] none = {};
        kept.put(number, none);
        try {
            send(message.array());
        } catch (ErrnoException | InterruptedException e) {
            throw new AssertionError(e);
        }
        org.awaitility.Awaitility.await().until(() -> kept.get(number).length > 0);
        return ByteBuffer.wrap(kept.remove(number)).order(ByteOrder.nativeOrder());
    }

    Map<Long, ?> unanswered() {
        return asked;
    }

    List<String> breaches() {
        return breaches.stream().limit(20).toList();
    }

    /** How often each errno was answered. */
    Map<Integer, Integer> errors() {
        synchronized (errors) {
            return new TreeMap<>(errors);
        }
    }

    /** Ends the session as an unmount does. */
    void end() {
        ending = true;
        socket.shutdown();
    }

    @Override
    public void close() {
        ending = true;
        socket.close();
    }
}
