package io.penstock.cache.control.custody;

import io.penstock.cache.control.StateDirectory;
import io.penstock.cache.control.custody.v1.AddMount;
import io.penstock.cache.control.custody.v1.Hello;
import io.penstock.cache.control.custody.v1.ListMounts;
import io.penstock.cache.control.custody.v1.MountAdded;
import io.penstock.cache.control.custody.v1.MountList;
import io.penstock.cache.control.custody.v1.MountSpec;
import io.penstock.cache.control.custody.v1.Packet;
import io.penstock.cache.control.custody.v1.RemoveMount;
import io.penstock.cache.control.custody.v1.StopHolder;
import io.penstock.cache.linux.Errno;
import io.penstock.cache.linux.ErrnoException;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.UnixSocket;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Asks the holder of a state directory. Thread-safe. */
public final class HolderClient implements AutoCloseable {
    private static final Duration GREETING = Duration.ofSeconds(5);

    private final CustodyChannel channel;
    private final CountDownLatch end;

    private HolderClient(CustodyChannel channel, CountDownLatch end) {
        this.channel = channel;
        this.end = end;
    }

    /** The holder, if one runs. */
    public static Optional<HolderClient> connect(StateDirectory state) throws IOException {
        Path path = state.holderSocket();
        if (!Files.exists(path)) {
            return Optional.empty();
        }
        UnixSocket socket;
        try {
            socket = UnixSocket.connect(path, UnixSocket.Kind.STREAM);
        } catch (ErrnoException e) {
            if (e.errno() == Errno.EACCES) {
                throw new PenstockException(
                        ErrorCode.NOT_PERMITTED,
                        "the processes at " + state.path() + " belong to another user",
                        "Run the command as that user or as root.",
                        false,
                        e);
            }
            if (e.errno() == Errno.ECONNREFUSED || e.errno() == Errno.ENOENT) {
                return Optional.empty();
            }
            throw e;
        }
        CustodyChannel channel = CustodyChannel.open(socket, Hello.Role.COMMAND, GREETING);
        CountDownLatch end = new CountDownLatch(1);
        return Optional.of(new HolderClient(channel.start("holder", new NothingExpected(end)), end));
    }

    /**
     * Mounts.
     *
     * @param cacheDirectory that must be in use; empty: any
     */
    public MountAdded mount(MountSpec spec, String cacheDirectory, Duration patience)
            throws IOException, InterruptedException {
        return ask(
                        Packet.newBuilder()
                                .setAddMount(AddMount.newBuilder().setSpec(spec).setCacheDirectory(cacheDirectory)),
                        patience)
                .getMountAdded();
    }

    public void unmount(Path point, boolean lazy, Duration patience) throws IOException, InterruptedException {
        ask(
                Packet.newBuilder()
                        .setRemoveMount(RemoveMount.newBuilder()
                                .setMountPoint(point.toString())
                                .setLazy(lazy)),
                patience);
    }

    public MountList mounts() throws IOException, InterruptedException {
        return ask(Packet.newBuilder().setListMounts(ListMounts.getDefaultInstance()), GREETING)
                .getMountList();
    }

    /** Has the holder end every mount and itself. */
    public void stop(Duration patience) throws IOException, InterruptedException {
        ask(Packet.newBuilder().setStopHolder(StopHolder.getDefaultInstance()), patience);
    }

    private Packet ask(Packet.Builder request, Duration patience) throws IOException, InterruptedException {
        CustodyChannel.Answer answer = channel.ask(request, patience);
        answer.fds().forEach(Fd::close);
        return answer.packet();
    }

    @Override
    public void close() {
        channel.close();
    }

    /** Waits for the holder to end; false when it still runs after {@code time}. */
    public boolean awaitEnd(Duration time) throws InterruptedException {
        return end.await(time.toMillis(), TimeUnit.MILLISECONDS);
    }

    private static final class NothingExpected implements CustodyChannel.Handler {
        private final CountDownLatch end;

        NothingExpected(CountDownLatch end) {
            this.end = end;
        }

        @Override
        public void packet(CustodyChannel from, Packet packet, List<Fd> fds) {
            fds.forEach(Fd::close);
        }

        @Override
        public void closed(CustodyChannel from) {
            end.countDown();
        }
    }
}
