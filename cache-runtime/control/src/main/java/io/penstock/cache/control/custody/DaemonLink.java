package io.penstock.cache.control.custody;

import io.penstock.cache.control.custody.v1.Adopt;
import io.penstock.cache.control.custody.v1.BackingOpened;
import io.penstock.cache.control.custody.v1.Done;
import io.penstock.cache.control.custody.v1.Forget;
import io.penstock.cache.control.custody.v1.HandOver;
import io.penstock.cache.control.custody.v1.HandedOver;
import io.penstock.cache.control.custody.v1.Hello;
import io.penstock.cache.control.custody.v1.HideDirect;
import io.penstock.cache.control.custody.v1.Lost;
import io.penstock.cache.control.custody.v1.MountSpec;
import io.penstock.cache.control.custody.v1.Packet;
import io.penstock.cache.control.custody.v1.Prepare;
import io.penstock.cache.control.custody.v1.Prepared;
import io.penstock.cache.control.custody.v1.Refresh;
import io.penstock.cache.control.custody.v1.Serve;
import io.penstock.cache.control.custody.v1.Serving;
import io.penstock.cache.control.custody.v1.Setup;
import io.penstock.cache.control.custody.v1.ShowDirect;
import io.penstock.cache.control.custody.v1.Stop;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The holder's end of its connection with one daemon. Thread-safe. */
final class DaemonLink implements CustodyChannel.Handler {
    private static final Logger LOG = LoggerFactory.getLogger(DaemonLink.class);
    private static final Duration GREETING = Duration.ofSeconds(30);
    private static final Duration LISTING = Duration.ofMinutes(10);
    private static final Duration USUAL = Duration.ofSeconds(30);

    private final DaemonProcess process;
    private final SessionTable sessions;
    private final BooleanSupplier stays;
    private final Set<String> given = ConcurrentHashMap.newKeySet();
    private final CountDownLatch over = new CountDownLatch(1);
    private final CustodyChannel channel;
    private volatile boolean leaving;

    /**
     * Waits for the daemon to greet; fenced when it does not.
     *
     * @param stays whether a daemon that was told to end may leave its sessions with us
     */
    DaemonLink(DaemonProcess process, SessionTable sessions, BooleanSupplier stays) throws IOException {
        this.process = process;
        this.sessions = sessions;
        this.stays = stays;
        channel = CustodyChannel.open(process.socket(), Hello.Role.HOLDER, GREETING);
        channel.start("custody daemon " + process.pid(), this);
    }

    int pid() {
        return process.pid();
    }

    /** Whether the connection still stands. */
    boolean alive() {
        return channel.isOpen();
    }

    /** Whether the daemon will keep its sessions when we go. */
    boolean keeps() {
        return alive() && !leaving;
    }

    /** Whether the daemon itself has given us this session. */
    boolean gave(HeldSession session) {
        return given.contains(session.id());
    }

    CompletableFuture<CustodyChannel.Answer> setUp(Setup setup) {
        return channel.askLater(Packet.newBuilder().setSetup(setup));
    }

    static void awaitSetUp(CompletableFuture<CustodyChannel.Answer> answer) throws IOException, InterruptedException {
        CustodyChannel.await(answer, USUAL);
    }

    /** The same, for a cache that may be large. */
    static void awaitOpened(CompletableFuture<CustodyChannel.Answer> answer) throws IOException, InterruptedException {
        CustodyChannel.await(answer, LISTING);
    }

    Prepared prepare(String session, MountSpec spec) throws IOException, InterruptedException {
        Packet.Builder packet = Packet.newBuilder()
                .setPrepare(Prepare.newBuilder().setSession(session).setSpec(spec));
        return expect(channel.ask(packet, LISTING)).getPrepared();
    }

    Serving serve(HeldSession session) throws IOException, InterruptedException {
        Packet.Builder packet = Packet.newBuilder().setServe(Serve.newBuilder().setSession(session.id()));
        return expect(channel.ask(packet, USUAL, session.device())).getServing();
    }

    /** Tells the daemon that a session it has prepared will not be. */
    void forget(String session) throws IOException {
        channel.send(Packet.newBuilder().setForget(Forget.newBuilder().setSession(session)));
    }

    /** Tells the daemon what has changed in a session's environment. */
    void refresh(String session, Map<String, String> environment) throws IOException, InterruptedException {
        Packet.Builder packet = Packet.newBuilder()
                .setRefresh(Refresh.newBuilder().setSession(session).putAllEnvironment(environment));
        Packet ignored = expect(channel.ask(packet, USUAL));
    }

    void showDirect(String digest) throws IOException, InterruptedException {
        Packet.Builder packet =
                Packet.newBuilder().setShowDirect(ShowDirect.newBuilder().setDigest(digest));
        Packet ignored = expect(channel.ask(packet, USUAL));
    }

    void hideDirect(String digest) throws IOException, InterruptedException {
        Packet.Builder packet =
                Packet.newBuilder().setHideDirect(HideDirect.newBuilder().setDigest(digest));
        Packet ignored = expect(channel.ask(packet, USUAL));
    }

    void lost(String message, String remedy) throws IOException, InterruptedException {
        Packet.Builder packet = Packet.newBuilder()
                .setLost(Lost.newBuilder().setMessage(message).setRemedy(remedy));
        Packet ignored = expect(channel.ask(packet, USUAL));
    }

    CompletableFuture<CustodyChannel.Answer> adopt(HeldSession session) {
        return channel.askLater(Packet.newBuilder().setAdopt(session.adopt()), session.device());
    }

    static void awaitAdopted(CompletableFuture<CustodyChannel.Answer> answer) throws IOException, InterruptedException {
        CustodyChannel.await(answer, USUAL);
    }

    /** Takes over what a daemon holds whose holder died: its sessions are in the table when this returns. */
    HandedOver handOver() throws IOException, InterruptedException {
        return channel.ask(Packet.newBuilder().setHandOver(HandOver.getDefaultInstance()), USUAL)
                .packet()
                .getHandedOver();
    }

    /** Waits until the connection has ended, then makes sure that the process has. */
    String awaitEnd() throws IOException, InterruptedException {
        over.await();
        return process.fence();
    }

    /** Asks the daemon to end, and sees to it. */
    void stop(Duration patience) throws IOException {
        try {
            channel.send(Packet.newBuilder().setStop(Stop.getDefaultInstance()));
        } catch (IOException e) {
            LOG.debug("the daemon has gone before it was told to", e);
        }
        if (!process.awaitEnd(patience)) {
            LOG.warn("daemon {} does not end by itself", process.pid());
        }
        process.fence();
    }

    void close() {
        channel.close();
        process.close();
    }

    private static Packet expect(CustodyChannel.Answer answer) {
        answer.fds().forEach(Fd::close);
        return answer.packet();
    }

    @Override
    public void packet(CustodyChannel from, Packet packet, List<Fd> fds) {
        try {
            Packet.Builder answer = handle(packet, fds);
            from.answer(packet, answer);
        } catch (PenstockException e) {
            tell(from, packet, e);
        } catch (IOException e) {
            tell(from, packet, new PenstockException(ErrorCode.INTERNAL, e.getMessage(), "", false, e));
        } finally {
            fds.forEach(Fd::close);
        }
    }

    private static void tell(CustodyChannel from, Packet packet, PenstockException error) {
        try {
            from.answer(packet, Failures.packet(error));
        } catch (IOException e) {
            LOG.debug("the daemon does not hear that {}", error.getMessage(), e);
        }
    }

    private Packet.Builder handle(Packet packet, List<Fd> fds) throws IOException {
        switch (packet.getBodyCase()) {
            case BACKING_OPEN -> {
                if (fds.size() != 1) {
                    throw wrong("a backing file without a descriptor");
                }
                int id = sessions.get(packet.getBackingOpen().getSession()).openBacking(fds.getFirst());
                return Packet.newBuilder()
                        .setBackingOpened(BackingOpened.newBuilder().setId(id));
            }
            case BACKING_CLOSE ->
                sessions.get(packet.getBackingClose().getSession())
                        .closeBacking(packet.getBackingClose().getId());
            case STATE_CHANGED ->
                sessions.get(packet.getStateChanged().getSession())
                        .state(packet.getStateChanged().getState());
            case ENDED ->
                sessions.ended(packet.getEnded().getSession(), packet.getEnded().getHow());
            case BUSY -> sessions.busy(packet.getBusy().getBusy());
            case ADOPT -> adopted(packet.getAdopt(), fds);
            case LEAVE -> leave();
            default -> throw wrong("a daemon does not send " + packet.getBodyCase());
        }
        return Packet.newBuilder().setDone(Done.getDefaultInstance());
    }

    private void adopted(Adopt adopt, List<Fd> fds) throws IOException {
        if (fds.size() != 1) {
            throw wrong("a session without a descriptor");
        }
        given.add(adopt.getSession());
        sessions.put(HeldSession.of(adopt, fds.getFirst().duplicate()));
    }

    private void leave() throws PenstockException {
        leaving = true;
        if (!stays.getAsBoolean()) {
            leaving = false;
            throw new PenstockException(ErrorCode.NOT_READY, "the holder is ending as well", "", true, null);
        }
        LOG.info("daemon {} leaves its mounts with us", process.pid());
    }

    private static PenstockException wrong(String what) {
        return new PenstockException(ErrorCode.INTERNAL, what, "");
    }

    @Override
    public void closed(CustodyChannel ended) {
        over.countDown();
    }
}
