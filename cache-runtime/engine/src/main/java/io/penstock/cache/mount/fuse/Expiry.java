package io.penstock.cache.mount.fuse;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.penstock.cache.linux.Fd;
import io.penstock.cache.mount.Tree;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Tells the kernel to look names up again, so that it learns the complete node of a file it knows by its plain one. Has
 * a thread of its own: the kernel takes the directory's lock for this, which a request that waits for us may hold.
 */
final class Expiry implements AutoCloseable {
    private static final int HEADER = Wire.OUT_HEADER + 16;

    private final Fd device;
    private final Tree tree;
    private final int flags;
    private final LinkedBlockingQueue<Integer> nodes = new LinkedBlockingQueue<>();
    private final Thread thread;

    Expiry(Fd device, Tree tree, boolean expireOnly) {
        this.device = device;
        this.tree = tree;
        this.flags = expireOnly ? Wire.EXPIRE_ONLY : 0;
        this.thread = Thread.ofPlatform().daemon().name("fuse-expiry").unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    void expire(int node) {
        nodes.add(node);
    }

    private void run() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(HEADER + 256, 8);
            while (true) {
                send(nodes.take(), out);
            }
        } catch (InterruptedException e) {
            // Closed: the session is over, the kernel has forgotten every name.
            Thread.currentThread().interrupt();
        }
    }

    private void send(int node, MemorySegment out) {
        int length = tree.copyName(node, out, HEADER);
        out.set(JAVA_BYTE, HEADER + length, (byte) 0);
        out.set(JAVA_INT, 0, HEADER + length + 1);
        out.set(JAVA_INT, 4, Wire.NOTIFY_INVAL_ENTRY);
        out.set(JAVA_LONG, 8, 0);
        out.set(JAVA_LONG, 16, NodeIds.plain(tree.parent(node)));
        out.set(JAVA_INT, 24, length);
        out.set(JAVA_INT, 28, flags);
        // ENOENT: the kernel does not know the name, which is as good.
        device.tryWrite(out.asSlice(0, HEADER + length + 1));
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
