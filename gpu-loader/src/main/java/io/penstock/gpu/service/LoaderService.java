package io.penstock.gpu.service;

import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.Machine;
import io.penstock.cache.linux.UnixSocket;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.gpu.device.Devices;
import io.penstock.gpu.pipeline.Pipeline;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Serves engines, each on a thread of its own. Only root and the loader's own user are heard: it reads files on their behalf. */
public final class LoaderService implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LoaderService.class);
    private static final int BACKLOG = 64;
    private static final int MOST_ENGINES = 64;

    private final Devices devices;
    private final Models models;
    private final Pipeline.Options options;
    private final Semaphore engines = new Semaphore(MOST_ENGINES);
    private UnixSocket listener;
    private volatile boolean closed;

    public LoaderService(Devices devices, Models models, Pipeline.Options options) {
        this.devices = devices;
        this.models = models;
        this.options = options;
    }

    /** Serves the one engine at the other end of a connected socket, on this thread, until it goes. */
    public void serve(UnixSocket socket) {
        new Session(socket, devices, models, options).run();
    }

    /**
     * Begins to listen.
     *
     * @throws PenstockException another loader serves there
     */
    public LoaderService listen(Path path) throws IOException {
        removeStale(path);
        listener = UnixSocket.listen(path, UnixSocket.Kind.STREAM, BACKLOG);
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
        Thread.ofPlatform().daemon().name("loader").start(this::accept);
        return this;
    }

    private static void removeStale(Path path) throws IOException {
        if (!Files.exists(path)) {
            return;
        }
        try (UnixSocket other = UnixSocket.connect(path, UnixSocket.Kind.STREAM)) {
            throw new PenstockException(
                    ErrorCode.LOADER_DEVICE,
                    "a loader serves at " + path + " already: process "
                            + other.peer().pid(),
                    "Use that one, or another path.");
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ECONNREFUSED) {
                throw new PenstockException(
                        ErrorCode.LOADER_DEVICE, path + " is there and no socket of ours", "Use another path.");
            }
            Files.delete(path); // a dead loader's
        }
    }

    private void accept() {
        while (!closed) {
            try {
                UnixSocket socket = listener.accept();
                if (!engines.tryAcquire()) {
                    LOG.warn("more than {} engines: one was sent away", MOST_ENGINES);
                    socket.close();
                    continue;
                }
                Thread.ofPlatform().daemon().name("engine").start(() -> admit(socket));
            } catch (ErrnoException e) {
                if (closed || e.errno() == Errno.EINVAL || e.errno() == Errno.EBADF) {
                    return;
                }
                LOG.warn("cannot accept an engine: {}", e.getMessage());
            }
        }
    }

    private void admit(UnixSocket socket) {
        try {
            UnixSocket.Peer peer = socket.peer();
            if (peer.uid() != 0 && peer.uid() != Machine.uid()) {
                LOG.warn("user {} may not have this loader read files", peer.uid());
                socket.close();
                return;
            }
            LOG.info("process {} connected", peer.pid());
            serve(socket);
            LOG.info("process {} is done", peer.pid());
        } catch (ErrnoException e) {
            socket.close();
        } finally {
            engines.release();
        }
    }

    /** A connected socket that this process was started with, as descriptor {@code number}. */
    public static UnixSocket inherited(int number) {
        return UnixSocket.adopt(Fd.adopt(number));
    }

    /** Accepts no more; engines that are connected are served on. */
    @Override
    public void close() {
        closed = true;
        if (listener != null) {
            listener.shutdown();
            listener.close();
        }
    }
}
