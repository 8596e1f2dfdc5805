package io.penstock.cache.mount.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.Machine;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.mount.Tree;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** The first exchange of a session, and the first word of a successor. */
final class Handshake {
    /** Nothing is ever written, and the request buffers must exceed this: the least that the kernel allows. */
    private static final int MAX_WRITE = 4096;

    /** A ceiling only: less would undo what has been set for the mount before it was answered. */
    private static final int MOST_READ_AHEAD = 64 << 20;

    private static final int PAGES_WITHOUT_MAX_PAGES = 32;
    /** Backing files may lie on an overlay of an ordinary file system. */
    private static final int STACK_DEPTH = 2;

    private static final long WANTED = Wire.INIT_ASYNC_READ
            | Wire.INIT_DO_READDIRPLUS
            | Wire.INIT_READDIRPLUS_AUTO
            | Wire.INIT_ASYNC_DIO
            | Wire.INIT_PARALLEL_DIROPS
            | Wire.INIT_ABORT_ERROR
            | Wire.INIT_MAX_PAGES
            | Wire.INIT_CACHE_SYMLINKS
            | Wire.INIT_NO_OPENDIR
            | Wire.INIT_EXT
            | Wire.INIT_PASSTHROUGH
            | Wire.INIT_RESEND;

    private Handshake() {}

    /** Waits for INIT, which the kernel sends when it mounts, and answers it. */
    static SessionState init(Fd device, Tree tree, SessionOptions options) throws IOException {
        try (Arena arena = Arena.ofConfined();
                Answer answer = new Answer(device)) {
            Request in = new Request(arena.allocate(Worker.bufferSize(MAX_WRITE), 4096));
            long n;
            while ((n = device.tryRead(in.buffer())) < 0) {
                if (n != -Errno.EINTR && n != -Errno.EAGAIN && n != -Errno.ENOENT) {
                    throw lost("the session ended before it began: " + Errno.name((int) -n));
                }
            }
            if (!in.received(n) || !in.isWhole() || in.opcode() != Wire.INIT || !in.has(16)) {
                throw lost("the session does not begin with INIT: somebody else has served it before");
            }
            answer.begin(in.unique());
            int minor = in.int32(4);
            if (in.int32(0) != Wire.MAJOR || minor < Wire.MINOR_NEEDED) {
                answer.error(Errno.EPROTO);
                throw new PenstockException(
                        ErrorCode.NO_FUSE,
                        "the kernel speaks FUSE " + in.int32(0) + "." + minor + ", this needs " + Wire.MAJOR + "."
                                + Wire.MINOR_NEEDED,
                        "use Linux 5.4 or newer");
            }
            long offered = Integer.toUnsignedLong(in.int32(12));
            if ((offered & Wire.INIT_EXT) != 0 && in.has(20)) {
                offered |= Integer.toUnsignedLong(in.int32(16)) << 32;
            }
            SessionState state = agree(tree, options, minor, offered & wanted(options));
            if (!answer.send(reply(answer.body(), state, options))) {
                throw lost("the kernel did not take the answer to INIT");
            }
            return state;
        }
    }

    private static long wanted(SessionOptions options) {
        return options.passthrough() ? WANTED : WANTED & ~Wire.INIT_PASSTHROUGH;
    }

    private static SessionState agree(Tree tree, SessionOptions options, int minor, long flags) {
        int pageSize = Machine.pageSize();
        int pages = (flags & Wire.INIT_MAX_PAGES) != 0
                ? Math.max(1, options.maxRead() / pageSize)
                : PAGES_WITHOUT_MAX_PAGES;
        return new SessionState(
                tree.snapshot().digest(), Tree.VERSION, minor, MAX_WRITE, pages, pageSize, flags, List.of());
    }

    private static int reply(MemorySegment out, SessionState state, SessionOptions options) {
        out.asSlice(0, Wire.INIT_OUT).fill((byte) 0);
        out.set(JAVA_INT, 0, Wire.MAJOR);
        out.set(JAVA_INT, 4, Math.min(Wire.MINOR, state.minor()));
        out.set(JAVA_INT, 8, MOST_READ_AHEAD);
        out.set(JAVA_INT, 12, (int) state.flags());
        out.set(JAVA_SHORT, 16, (short) options.maxBackground());
        out.set(JAVA_SHORT, 18, (short) Math.max(1, options.maxBackground() * 3 / 4));
        out.set(JAVA_INT, 20, state.maxWrite());
        out.set(JAVA_INT, 24, 1);
        out.set(JAVA_SHORT, 28, (short) state.maxPages());
        out.set(JAVA_INT, 32, (int) (state.flags() >>> 32));
        out.set(JAVA_INT, 36, state.has(Wire.INIT_PASSTHROUGH) ? STACK_DEPTH : 0);
        return Wire.INIT_OUT;
    }

    /** Has the kernel send again what a dead predecessor had read and not answered. Must come before the first read. */
    static void resume(Fd device, Tree tree, SessionState state) throws IOException {
        if (!state.snapshot().equals(tree.snapshot().digest()) || state.treeVersion() != Tree.VERSION) {
            throw lost("the session serves snapshot " + state.snapshot() + " with nodes of version "
                    + state.treeVersion() + ", this process has "
                    + tree.snapshot().digest() + " with version " + Tree.VERSION);
        }
        for (SessionState.OpenFile file : state.files()) {
            if (file.node() < 0 || file.node() >= tree.nodes() || tree.isDirectory(file.node())) {
                throw lost("the session has an open file that is none: node " + file.node());
            }
        }
        if (!state.has(Wire.INIT_RESEND)) {
            throw lost("this kernel cannot hand the requests of a dead daemon to a new one (Linux 6.9 can)");
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(Wire.OUT_HEADER, 8);
            out.set(JAVA_INT, 0, Wire.OUT_HEADER);
            out.set(JAVA_INT, 4, Wire.NOTIFY_RESEND);
            out.set(JAVA_LONG, 8, 0);
            device.write(out);
        }
    }

    private static PenstockException lost(String message) {
        return new PenstockException(ErrorCode.SESSION_LOST, message, "unmount and mount again");
    }
}
