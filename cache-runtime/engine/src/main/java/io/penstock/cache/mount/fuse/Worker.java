package io.penstock.cache.mount.fuse;

import io.penstock.cache.linux.Errno;
import io.penstock.cache.read.ReadReply;
import java.lang.foreign.Arena;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** One thread that reads requests from the device and answers them, until the session ends. */
final class Worker implements Runnable {
    private static final int PAGE = 4096;
    /** Also the longest message that is no write. */
    private static final int LEAST_BUFFER = 64 << 10;

    private final FuseSession session;
    private final Served served;
    private final int bufferSize;

    private Request in;
    private Answer answer;
    private NodeOps nodes;
    private FileOps files;
    private Xattrs xattrs;

    Worker(FuseSession session, Served served) {
        this.session = session;
        this.served = served;
        this.bufferSize = bufferSize(served.negotiated().maxWrite());
    }

    /** The kernel refuses to fill a buffer that is not longer than a write of the negotiated size by the headers. */
    static int bufferSize(int maxWrite) {
        return Math.max(LEAST_BUFFER, maxWrite + PAGE);
    }

    @Override
    public void run() {
        End end = End.FAILED;
        try (Arena arena = Arena.ofConfined();
                ReadReply reply = new ReadReply(served.negotiated().maxRead());
                Answer ownAnswer = new Answer(served.device())) {
            in = new Request(arena.allocate(bufferSize, PAGE));
            answer = ownAnswer;
            nodes = new NodeOps(served, in, answer);
            files = new FileOps(served, in, answer, reply);
            xattrs = new Xattrs(served, in, answer);
            end = serve();
        } finally {
            session.ended(end);
        }
    }

    private End serve() {
        while (true) {
            long n = served.device().tryRead(in.buffer());
            if (n > 0) {
                handle(n);
                if (session.closing()) {
                    return End.CLOSED;
                }
                continue;
            }
            switch ((int) -n) {
                // ENOENT: the request was given up between being announced and being read.
                case Errno.EINTR, Errno.EAGAIN, Errno.ENOENT -> {}
                case 0, Errno.ENODEV -> {
                    return End.UNMOUNTED;
                }
                case Errno.ECONNABORTED -> {
                    return End.ABORTED;
                }
                default -> {
                    served.log().warn("reading requests failed: " + Errno.name((int) -n));
                    return End.FAILED;
                }
            }
        }
    }

    private void handle(long length) {
        if (!in.received(length)) {
            served.log().warn("a message of " + length + " bytes is no request");
            return;
        }
        served.counters().requests.increment();
        answer.begin(in.unique());
        try {
            if (in.isWhole()) {
                dispatch();
            } else {
                answer.error(Errno.EINVAL);
            }
        } catch (RuntimeException e) {
            served.log().failed("request " + in.opcode(), e);
        }
        if (!answer.answered()) {
            answer.error(Errno.EIO);
        }
    }

    private void dispatch() {
        switch (in.opcode()) {
            case Wire.FORGET, Wire.BATCH_FORGET -> answer.dropped();
            case Wire.INTERRUPT -> interrupt();
            case Wire.STATFS -> nodes.statfs();
            case Wire.DESTROY -> answer.error(0);
            case Wire.IOCTL -> answer.error(Errno.ENOTTY);
            case Wire.INIT -> answer.error(Errno.EINVAL);
            case Wire.SETATTR,
                    Wire.SYMLINK,
                    Wire.MKNOD,
                    Wire.MKDIR,
                    Wire.UNLINK,
                    Wire.RMDIR,
                    Wire.RENAME,
                    Wire.RENAME2,
                    Wire.LINK,
                    Wire.WRITE,
                    Wire.SETXATTR,
                    Wire.REMOVEXATTR,
                    Wire.CREATE,
                    Wire.TMPFILE,
                    Wire.FALLOCATE,
                    Wire.COPY_FILE_RANGE -> answer.error(Errno.EROFS);
            default -> onNode();
        }
    }

    private void onNode() {
        int node = NodeIds.node(in.nodeId(), served.tree());
        if (node < 0) {
            answer.error(Errno.ESTALE);
            return;
        }
        boolean complete = NodeIds.isComplete(in.nodeId());
        switch (in.opcode()) {
            case Wire.READ -> files.read(node);
            case Wire.LOOKUP -> nodes.lookup(node);
            case Wire.GETATTR -> nodes.getattr(node);
            case Wire.OPEN -> files.open(node, complete);
            case Wire.RELEASE -> files.release(node, complete);
            case Wire.READDIR -> nodes.list(node, false);
            case Wire.READDIRPLUS -> nodes.list(node, true);
            case Wire.OPENDIR -> openDirectory();
            case Wire.RELEASEDIR -> answer.error(0);
            case Wire.ACCESS -> nodes.access();
            case Wire.GETXATTR -> xattrs.get(node);
            case Wire.LISTXATTR -> xattrs.list(node);
            case Wire.READLINK -> answer.error(Errno.EINVAL);
            // FLUSH, FSYNC, LSEEK, POLL, STATX, locks: ENOSYS makes the kernel do without, and not ask again.
            default -> answer.error(Errno.ENOSYS);
        }
    }

    /** ENOSYS says that directories need no opening and that their listing may be kept. */
    private void openDirectory() {
        if (served.negotiated().has(Wire.INIT_NO_OPENDIR)) {
            answer.error(Errno.ENOSYS);
        } else {
            files.openDirectory();
        }
    }

    /** EAGAIN asks the kernel to repeat itself: another thread has just read the request and not yet begun to wait. */
    private void interrupt() {
        if (in.has(8) && !served.waiting().interrupt(in.int64(0))) {
            LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(50));
            answer.error(Errno.EAGAIN);
        }
        answer.dropped();
    }
}
