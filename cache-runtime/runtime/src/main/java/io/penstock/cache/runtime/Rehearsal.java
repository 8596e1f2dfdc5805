package io.penstock.cache.runtime;

import io.penstock.cache.config.Directories;
import io.penstock.cache.control.ControlClient;
import io.penstock.cache.control.StateDirectory;
import io.penstock.cache.control.custody.CustodyChannel;
import io.penstock.cache.control.custody.Mounter;
import io.penstock.cache.control.custody.v1.Hello;
import io.penstock.cache.control.custody.v1.MountSpec;
import io.penstock.cache.control.custody.v1.Packet;
import io.penstock.cache.control.custody.v1.Prepare;
import io.penstock.cache.control.custody.v1.Serve;
import io.penstock.cache.control.custody.v1.Setup;
import io.penstock.cache.control.custody.v1.Stop;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.FileTrees;
import io.penstock.cache.linux.UnixSocket;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Does in this process, once and in small, what a daemon does, for the AOT cache that daemons start from. Where this
 * process may not mount, everything but the mount is done.
 */
public final class Rehearsal {
    private static final Logger LOG = LoggerFactory.getLogger(Rehearsal.class);
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final String SESSION = "rehearsal";
    private static final int FILE = 9 << 20;

    private final Path base;

    private Rehearsal(Path base) {
        this.base = base;
    }

    /** Serves a small model to itself. */
    public static void daemon() throws IOException, InterruptedException {
        Path base = Files.createTempDirectory("penstock-rehearsal");
        try {
            new Rehearsal(base).run();
        } finally {
            FileTrees.delete(base);
        }
    }

    private void run() throws IOException, InterruptedException {
        Path model = Files.createDirectory(base.resolve("model"));
        Files.writeString(model.resolve("config.json"), "{}");
        Files.write(model.resolve("model.safetensors"), new byte[FILE]);
        StateDirectory state = new StateDirectory(Files.createDirectory(base.resolve("run")));
        Files.createDirectory(state.daemon());
        UnixSocket.Pair pair = UnixSocket.pair(UnixSocket.Kind.STREAM);
        Daemon daemon = new Daemon();
        CompletableFuture<CustodyChannel> opened = new CompletableFuture<>();
        Thread.ofPlatform().daemon().name("rehearsal").start(() -> {
            try {
                opened.complete(CustodyChannel.open(pair.second(), Hello.Role.DAEMON, PATIENCE));
            } catch (IOException e) {
                opened.completeExceptionally(e);
            }
        });
        try (CustodyChannel holder = CustodyChannel.open(pair.first(), Hello.Role.HOLDER, PATIENCE)) {
            daemon.start(opened.join());
            holder.start("holder", new NothingToHold());
            play(holder, state, model);
            int ignored = daemon.awaitEnd();
        } finally {
            daemon.close();
        }
    }

    private void play(CustodyChannel holder, StateDirectory state, Path model)
            throws IOException, InterruptedException {
        ask(
                holder,
                Packet.newBuilder()
                        .setSetup(Setup.newBuilder()
                                .putSettings(
                                        Directories.CACHE.name(),
                                        base.resolve("cache").toString())
                                .setStateDirectory(state.path().toString())
                                .setMayPassThrough(true)));
        Path point = Files.createDirectory(base.resolve("mnt"));
        MountSpec spec = MountSpec.newBuilder()
                .setLocation(model.toString())
                .setMountPoint(point.toString())
                .setPrefetch("reading-order")
                .build();
        ask(
                holder,
                Packet.newBuilder()
                        .setPrepare(Prepare.newBuilder().setSession(SESSION).setSpec(spec)));
        mount(holder, point);
        try (ControlClient control = ControlClient.connect(state.controlSocket())) {
            LOG.debug("{} {}", control.status().getMountsCount(), control.snapshots());
        }
        ask(holder, Packet.newBuilder().setStop(Stop.getDefaultInstance()));
    }

    private static void mount(CustodyChannel holder, Path point) throws IOException, InterruptedException {
        Mounter mounter = Mounter.ofThisProcess();
        try (Fd device = mounter.mount(point, "rehearsal")) {
            try {
                ask(holder, Packet.newBuilder().setServe(Serve.newBuilder().setSession(SESSION)), device);
                try (Stream<Path> files = Files.list(point)) {
                    for (Path file : files.toList()) {
                        LOG.debug("{} {}", file, Files.readAllBytes(file).length);
                    }
                }
            } finally {
                mounter.unmount(point, false);
            }
        } catch (PenstockException e) {
            LOG.info("rehearsing without a mount: {}", e.getMessage());
        }
    }

    private static void ask(CustodyChannel holder, Packet.Builder packet, Fd... fds)
            throws IOException, InterruptedException {
        CustodyChannel.Answer answer = holder.ask(packet, PATIENCE, fds);
        answer.fds().forEach(Fd::close);
    }

    /** Leaves questions unanswered: the daemon then reads files itself. */
    private static final class NothingToHold implements CustodyChannel.Handler {
        @Override
        public void packet(CustodyChannel channel, Packet packet, List<Fd> fds) {
            fds.forEach(Fd::close);
            if (packet.getSequence() != 0) {
                try {
                    channel.answer(
                            packet,
                            io.penstock.cache.control.custody.Failures.packet(
                                    new IOException("nothing is held in a rehearsal")));
                } catch (IOException e) {
                    LOG.debug("not answered", e);
                }
            }
        }

        @Override
        public void closed(CustodyChannel channel) {
            LOG.debug("the rehearsal is over");
        }
    }
}
