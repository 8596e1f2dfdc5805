package io.penstock.cache.runtime;

import io.penstock.cache.config.Config;
import io.penstock.cache.config.ConfigLoader;
import io.penstock.cache.config.Directories;
import io.penstock.cache.control.StateDirectory;
import io.penstock.cache.control.custody.CustodyChannel;
import io.penstock.cache.control.custody.Failures;
import io.penstock.cache.control.custody.v1.Adopt;
import io.penstock.cache.control.custody.v1.Busy;
import io.penstock.cache.control.custody.v1.Done;
import io.penstock.cache.control.custody.v1.Ended;
import io.penstock.cache.control.custody.v1.HandedOver;
import io.penstock.cache.control.custody.v1.Leave;
import io.penstock.cache.control.custody.v1.Packet;
import io.penstock.cache.control.custody.v1.Setup;
import io.penstock.cache.control.custody.v1.StateChanged;
import io.penstock.cache.control.server.ControlServer;
import io.penstock.cache.control.server.ControlService;
import io.penstock.cache.control.server.GuestServer;
import io.penstock.cache.control.server.GuestService;
import io.penstock.cache.control.server.Node;
import io.penstock.cache.control.server.RemoteControl;
import io.penstock.cache.control.v1.NodeStatus;
import io.penstock.cache.control.v1.VersionInfo;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.logs.Logs;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.model.Version;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The process that serves. It does what its holder says; when the holder dies it serves on, and gives its mounts to the
 * next one. Thread-safe.
 *
 * <pre>
 *   held ── holder died, mounts or work left ──> alone ── a holder came ──> held
 *    │                                             │
 *    └── told to stop, or nothing left ──> ended <─┘ nothing left
 * </pre>
 *
 * A daemon that awaits its holders ends only when it is told to.
 */
final class Daemon implements CustodyChannel.Handler {
    private static final Logger LOG = LoggerFactory.getLogger(Daemon.class);
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private static final Duration ANSWER = Duration.ofSeconds(2);
    private static final Duration TICK = Duration.ofMillis(50);

    /** What it was told before there was a holder; null: it does as its holder says. */
    private final Map<String, String> own;

    private final CompletableFuture<Parts> parts = new CompletableFuture<>();
    private final CountDownLatch end = new CountDownLatch(1);
    private volatile CustodyChannel holder;
    private volatile Setup setup = Setup.getDefaultInstance();
    private volatile boolean begun;
    private volatile int status;

    /** A daemon whose holder says everything, and that ends when nobody needs it. */
    Daemon() {
        this(null);
    }

    /**
     * A daemon that awaits its holders.
     *
     * @param own configuration by key name
     */
    Daemon(Map<String, String> own) {
        this.own = own;
    }

    /** What the daemon has once it is set up. */
    private record Parts(
            Node node,
            Sessions sessions,
            ControlServer control,
            Optional<RemoteControl> remote,
            Optional<GuestServer> guests,
            CustodyDoor door) {}

    /** Begins to serve the holder at the other end. */
    void start(CustodyChannel channel) {
        holder = channel;
        channel.start("custody", this);
    }

    /** Waits until there is nothing left to do; the exit status. */
    int awaitEnd() throws InterruptedException {
        end.await();
        return status;
    }

    CustodyChannel holder() {
        CustodyChannel now = holder;
        return now != null && now.isOpen() ? now : null;
    }

    /** A holder that came after ours had died; false when ours lives. */
    boolean take(CustodyChannel channel) {
        synchronized (this) {
            if (holder() != null) {
                return false;
            }
            holder = channel;
        }
        LOG.info("process {} holds the mounts now", channel.credentials().pid());
        channel.start("custody", this);
        return true;
    }

    @Override
    public void packet(CustodyChannel channel, Packet packet, List<Fd> fds) {
        Thread.ofPlatform().daemon().name("custody " + packet.getBodyCase()).start(() -> answer(channel, packet, fds));
    }

    private void answer(CustodyChannel channel, Packet packet, List<Fd> fds) {
        Packet.Builder answer;
        try {
            answer = handle(channel, packet, fds);
        } catch (PenstockException e) {
            LOG.info("{}: {}", packet.getBodyCase(), e.getMessage());
            answer = Failures.packet(e);
        } catch (IOException | RuntimeException e) {
            LOG.error("{} met a fault", packet.getBodyCase(), e);
            answer = Failures.packet(e);
        } catch (InterruptedException e) {
            LOG.debug("interrupted", e);
            return;
        }
        try {
            channel.answer(packet, answer);
        } catch (IOException e) {
            LOG.warn("the holder went away before it was answered");
        }
        if (packet.hasSetup() && answer.hasFailure()) {
            stop(1);
        }
    }

    private Packet.Builder handle(CustodyChannel channel, Packet packet, List<Fd> fds)
            throws IOException, InterruptedException {
        Packet.Builder done = Packet.newBuilder().setDone(Done.getDefaultInstance());
        switch (packet.getBodyCase()) {
            case SETUP -> setUp(packet.getSetup());
            case PREPARE ->
                done.setPrepared(parts().sessions()
                        .prepare(
                                packet.getPrepare().getSession(),
                                packet.getPrepare().getSpec()));
            case SERVE ->
                done.setServing(parts().sessions().serve(packet.getServe().getSession(), only(fds)));
            case REFRESH ->
                parts().sessions()
                        .refresh(
                                packet.getRefresh().getSession(),
                                packet.getRefresh().getEnvironmentMap());
            case SHOW_DIRECT -> parts().node().showDirect(packet.getShowDirect().getDigest());
            case HIDE_DIRECT ->
                parts().node().direct().hide(packet.getHideDirect().getDigest());
            case LOST ->
                parts().node()
                        .errors()
                        .add(new PenstockException(
                                ErrorCode.SESSION_LOST,
                                packet.getLost().getMessage(),
                                packet.getLost().getRemedy()));
            case FORGET -> parts().sessions().forget(packet.getForget().getSession());
            case ADOPT -> parts().sessions().adopt(packet.getAdopt(), only(fds));
            case HAND_OVER -> done.setHandedOver(handOver(channel));
            case STOP -> stop(0);
            default -> {
                fds.forEach(Fd::close);
                throw new PenstockException(ErrorCode.INTERNAL, "a holder does not send " + packet.getBodyCase(), "");
            }
        }
        return done;
    }

    private static Fd only(List<Fd> fds) throws PenstockException {
        if (fds.size() != 1) {
            fds.forEach(Fd::close);
            throw new PenstockException(ErrorCode.INTERNAL, "a session without its descriptor", "");
        }
        return fds.getFirst();
    }

    private Parts parts() throws PenstockException {
        try {
            return parts.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof PenstockException p) {
                throw p;
            }
            throw new PenstockException(
                    ErrorCode.INTERNAL,
                    "the daemon could not be set up: " + e.getCause(),
                    "Look into its log.",
                    false,
                    e);
        }
    }

    private void setUp(Setup wanted) throws IOException {
        setup = wanted;
        begun = true;
        try {
            Config config = config(own == null ? wanted.getSettingsMap() : own);
            if (own == null) {
                log(config);
            }
            StateDirectory state = new StateDirectory(
                    own == null ? Path.of(wanted.getStateDirectory()) : config.get(Directories.STATE));
            Node node = Node.open(NodeSetup.options(config));
            boolean passthrough = wanted.getMayPassThrough() && config.get(RuntimeKeys.PASSTHROUGH);
            Sessions sessions = new Sessions(
                    node,
                    id -> passthrough ? new HolderBacking(id, this::holder) : null,
                    new ToHolder(),
                    new Tokens(state.daemon()));
            node.jobs().onBusy(this::busy);
            CustodyDoor door = own != null
                    ? null
                    : CustodyDoor.open(
                            state.custodySocket(), this, holder().credentials().uid());
            ControlService service = new ControlService(node, version(), this::addProcess, Logs::level);
            ControlServer control = ControlServer.start(state.controlSocket(), service);
            Optional<GuestServer> guests = own != null && config.get(RuntimeKeys.CONTROL_GUESTS)
                    ? Optional.of(GuestServer.start(state, new GuestService(node, version())))
                    : Optional.empty();
            parts.complete(new Parts(node, sessions, control, remote(config, service), guests, door));
            LOG.info("daemon {} serves from {}", ProcessHandle.current().pid(), config.get(Directories.CACHE));
        } catch (IOException | RuntimeException e) {
            parts.completeExceptionally(e);
            throw e;
        }
    }

    private static Optional<RemoteControl> remote(Config config, ControlService service) throws PenstockException {
        return config.get(RuntimeKeys.CONTROL_LISTEN).isEmpty()
                ? Optional.empty()
                : Optional.of(RemoteControl.start(
                        config.get(RuntimeKeys.CONTROL_LISTEN), config.get(RuntimeKeys.CONTROL_TLS), service));
    }

    private static Config config(Map<String, String> settings) throws PenstockException {
        ConfigLoader loader = ConfigLoader.forAllKeys();
        settings.forEach((key, text) -> loader.flag(key, text, "holder"));
        return loader.load();
    }

    private static void log(Config config) throws IOException {
        Path directory = config.get(Directories.CACHE).resolve("log");
        Files.createDirectories(directory);
        Logs.toFile(directory.resolve("daemon.log"), config);
    }

    private static VersionInfo version() {
        return VersionInfo.newBuilder()
                .setVersion(Version.current())
                .setPid(ProcessHandle.current().pid())
                .setStarted(System.currentTimeMillis() * 1_000_000)
                .build();
    }

    private NodeStatus.Builder addProcess(NodeStatus.Builder status) {
        Kernel kernel = Kernel.running();
        return status.setKernel(kernel.release())
                .setPassthrough(kernel.isAtLeast(6, 9))
                .setResend(kernel.isAtLeast(6, 9))
                .setHeld(holder() != null)
                .setTakeovers(setup.getTakeovers());
    }

    /** Sends a holder every session; the holder's table is complete when this returns. */
    private HandedOver handOver(CustodyChannel to) throws IOException, InterruptedException {
        if (!begun) {
            return HandedOver.newBuilder().setFresh(true).build();
        }
        int count = 0;
        for (Session session : parts().sessions().served()) {
            Adopt adopt = session.adopt();
            CustodyChannel.Answer answer = to.ask(Packet.newBuilder().setAdopt(adopt), PATIENCE, session.device());
            answer.fds().forEach(Fd::close);
            count++;
        }
        return HandedOver.newBuilder()
                .setSessions(count)
                .putAllSettings(setup.getSettingsMap())
                .setBusy(parts().node().jobs().running())
                .build();
    }

    private void busy(boolean now) {
        tell(Packet.newBuilder().setBusy(Busy.newBuilder().setBusy(now)));
        look();
    }

    /** Tells the holder; what it does not hear now it gets when it takes over. */
    private void tell(Packet.Builder packet) {
        CustodyChannel channel = holder();
        if (channel != null) {
            try {
                channel.send(packet);
            } catch (IOException e) {
                LOG.debug("the holder does not hear of {}", packet.getBodyCase(), e);
            }
        }
    }

    private final class ToHolder implements Sessions.Listener {
        @Override
        public void stateChanged(String session, String state) {
            tell(Packet.newBuilder()
                    .setStateChanged(
                            StateChanged.newBuilder().setSession(session).setState(state)));
        }

        @Override
        public void ended(String session, String how) {
            tell(Packet.newBuilder()
                    .setEnded(Ended.newBuilder().setSession(session).setHow(how)));
            look();
        }
    }

    @Override
    public void closed(CustodyChannel channel) {
        if (channel == holder) {
            LOG.warn("the holder is gone; serving on");
        }
        look();
    }

    /** Ends a daemon that nobody holds and nobody needs. */
    private void look() {
        if (holder() != null || own != null) {
            return;
        }
        if (!parts.isDone() || parts.isCompletedExceptionally()) {
            stop(1);
            return;
        }
        Parts all = parts.join();
        if (all.sessions().isEmpty() && !all.node().jobs().running()) {
            stop(0);
        }
    }

    /**
     * Waits until somebody else holds every session, so that this process can end.
     *
     * @return false when nobody does within {@code patience}
     */
    boolean leave(Duration patience) throws InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (!nothingToLeave()) {
            CustodyChannel channel = holder();
            if (channel != null && stays(channel)) {
                return true;
            }
            if (System.nanoTime() > deadline) {
                return false;
            }
            Thread.sleep(TICK);
        }
        return true;
    }

    private boolean nothingToLeave() {
        return !parts.isDone()
                || parts.isCompletedExceptionally()
                || parts.join().sessions().isEmpty();
    }

    private static boolean stays(CustodyChannel channel) throws InterruptedException {
        try {
            CustodyChannel.Answer answer =
                    channel.ask(Packet.newBuilder().setLeave(Leave.getDefaultInstance()), ANSWER);
            answer.fds().forEach(Fd::close);
            return true;
        } catch (IOException e) {
            LOG.debug("the holder does not keep the mounts: {}", e.getMessage());
            return false;
        }
    }

    /** Whether a holder has set this daemon up, and nothing went wrong with it. */
    boolean isSetUp() {
        return parts.isDone() && !parts.isCompletedExceptionally();
    }

    private void stop(int exit) {
        status = exit;
        end.countDown();
    }

    /** Lets go of everything, as far as it has come. */
    void close() {
        if (parts.isDone() && !parts.isCompletedExceptionally()) {
            Parts all = parts.join();
            if (all.door() != null) {
                all.door().close();
            }
            all.guests().ifPresent(GuestServer::close);
            all.remote().ifPresent(RemoteControl::close);
            all.control().close();
            all.node().close();
        }
    }
}
