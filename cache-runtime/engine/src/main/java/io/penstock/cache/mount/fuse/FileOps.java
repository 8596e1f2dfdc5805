package io.penstock.cache.mount.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.model.Entry;
import io.penstock.cache.mount.Errnos;
import io.penstock.cache.mount.Tree;
import io.penstock.cache.read.ObjectReader;
import io.penstock.cache.read.ReadException;
import io.penstock.cache.read.ReadReply;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Open files and their bytes. A handle's number says nothing that the node does not: a successor that meets an unknown
 * one opens the node's object anew.
 */
final class FileOps {
    private static final int MOST_ADOPTED = 1 << 16;
    private static final int O_TRUNC = 0x200;
    private static final int O_APPEND = 0x400;
    private static final int NO_WRITES = Fd.O_WRONLY | Fd.O_RDWR | Fd.O_CREAT | O_TRUNC | O_APPEND;

    /** Starts anywhere, so that a successor does not hand out the numbers of its predecessor's open handles. */
    private static final AtomicLong NEXT =
            new AtomicLong(ThreadLocalRandom.current().nextLong() >>> 1 | 1);

    private final Served served;
    private final Tree tree;
    private final Request in;
    private final Answer answer;
    private final ReadReply reply;

    FileOps(Served served, Request in, Answer answer, ReadReply reply) {
        this.served = served;
        this.tree = served.tree();
        this.in = in;
        this.answer = answer;
        this.reply = reply;
    }

    void open(int node, boolean complete) {
        if (tree.isDirectory(node)) {
            answer.error(Errno.EISDIR);
        } else if (!in.has(8)) {
            answer.error(Errno.EINVAL);
        } else if ((in.int32(0) & NO_WRITES) != 0) {
            answer.error(Errno.EROFS);
        } else {
            served.counters().opens.increment();
            int backing = complete ? served.passthrough().acquire(node) : 0;
            boolean opened = backing > 0 ? openPassedThrough(backing) : openServed(node);
            if (complete && !opened) {
                served.passthrough().release(node);
            }
        }
    }

    private boolean openPassedThrough(int backing) {
        served.counters().passthroughOpens.increment();
        return opened(NEXT.getAndIncrement(), Wire.FOPEN_PASSTHROUGH | Wire.FOPEN_NOFLUSH, backing);
    }

    private boolean openServed(int node) {
        Entry entry = tree.entry(node);
        try {
            Handles.Handle handle = new Handles.Handle(
                    NEXT.getAndIncrement(), node, served.reader().open(entry));
            served.handles().putIfAbsent(handle);
            if (!opened(handle.number(), Wire.FOPEN_KEEP_CACHE | Wire.FOPEN_NOFLUSH, 0)) {
                close(handle.number());
                return false;
            }
            return true;
        } catch (ReadException e) {
            failed("open", node, e);
            return false;
        }
    }

    private boolean opened(long handle, int flags, int backing) {
        answer.body().set(JAVA_LONG, 0, handle);
        answer.body().set(JAVA_INT, 8, flags);
        answer.body().set(JAVA_INT, 12, backing);
        return answer.send(16);
    }

    void openDirectory() {
        opened(0, Wire.FOPEN_KEEP_CACHE | Wire.FOPEN_CACHE_DIR, 0);
    }

    void release(int node, boolean complete) {
        if (!in.has(8)) {
            answer.error(Errno.EINVAL);
            return;
        }
        close(in.int64(0));
        // Answered first: a release that is counted and then comes again for a successor would be counted twice.
        answer.error(0);
        if (complete) {
            served.passthrough().release(node);
        }
    }

    private void close(long number) {
        Handles.Handle handle = served.handles().remove(number);
        if (handle != null) {
            handle.reader().close();
        }
    }

    void read(int node) {
        if (!in.has(20)) {
            answer.error(Errno.EINVAL);
            return;
        }
        long number = in.int64(0);
        long offset = in.int64(8);
        long size = Integer.toUnsignedLong(in.int32(16));
        if (tree.isDirectory(node)) {
            answer.error(Errno.EISDIR);
            return;
        }
        if (offset < 0 || size > served.negotiated().maxRead()) {
            answer.error(Errno.EINVAL);
            return;
        }
        int length = (int) Math.clamp(tree.size(node) - offset, 0, size);
        if (length == 0) {
            answer.send(0);
            return;
        }
        try {
            ObjectReader object = reader(number, node);
            if (object == null) {
                answer.error(Errno.EBADF);
            } else if (object.read(offset, length, reply, false)) {
                finish(answer, reply, reply.length() == length, served.counters());
            } else {
                served.waiting().read(answer.unique(), object, offset, length);
                answer.dropped();
            }
        } catch (ReadException e) {
            failed("read", node, e);
        } catch (InterruptedException e) {
            answer.error(Errno.EINTR);
        } finally {
            reply.clear();
        }
    }

    /** A short answer would make the kernel show zeros: it means the end of the file. */
    static void finish(Answer answer, ReadReply reply, boolean all, Counters counters) {
        if (all) {
            counters.reads.increment();
            counters.readBytes.add(reply.length());
            answer.data(reply);
        } else {
            counters.failures.increment();
            answer.error(Errno.EIO);
        }
    }

    private ObjectReader reader(long number, int node) throws ReadException {
        Handles.Handle handle = served.handles().get(number);
        if (handle == null) {
            handle = adopt(number, node);
        }
        return handle == null || handle.node() != node ? null : handle.reader();
    }

    private Handles.Handle adopt(long number, int node) throws ReadException {
        if (!served.resumed() || served.handles().size() >= MOST_ADOPTED) {
            return null;
        }
        ObjectReader object = served.reader().open(tree.entry(node));
        Handles.Handle adopted = new Handles.Handle(number, node, object);
        Handles.Handle present = served.handles().putIfAbsent(adopted);
        if (present != null) {
            object.close();
            return present;
        }
        return adopted;
    }

    private void failed(String what, int node, ReadException e) {
        served.counters().failures.increment();
        answer.error(Errnos.of(e.code()));
        served.log().failed(what + " of " + tree.path(node), e);
    }
}
