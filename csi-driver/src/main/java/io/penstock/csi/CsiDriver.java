package io.penstock.csi;

import io.penstock.cache.control.custody.Holder;
import io.penstock.cache.control.custody.HolderOptions;
import io.penstock.cache.control.custody.Mounter;
import io.penstock.cache.control.health.HealthServer;
import io.penstock.csi.rpc.IdentityService;
import io.penstock.csi.rpc.NodeService;
import io.penstock.csi.rpc.Registration;
import io.penstock.csi.rpc.SocketServer;
import io.penstock.csi.volume.Volumes;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The driver of a node: holder of its sessions, and CSI endpoint. Of several on one node one serves; the others stand by.
 *
 * <pre>
 *   standing by ─> serving ── told to end ──> leaving ── a daemon keeps the sessions ──> ended
 * </pre>
 */
public final class CsiDriver {
    private static final Logger LOG = LoggerFactory.getLogger(CsiDriver.class);
    private static final long TICK_MILLIS = 20;
    private static final int READ_AHEAD_KB = 1024;
    private static final Duration TO_FINISH = Duration.ofSeconds(5);

    private final DriverOptions options;
    private final CountDownLatch end = new CountDownLatch(1);
    private volatile Serving serving;
    private volatile boolean leaving;

    public CsiDriver(DriverOptions options) {
        this.options = options;
    }

    /** What a driver has while it serves. */
    private record Serving(Holder holder, NodeService node, SocketServer csi, SocketServer registration) {}

    /** Serves until it is told to end. */
    public void run() throws IOException, InterruptedException {
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().name("leaving").unstarted(this::leave));
        try (HealthServer _ =
                options.health().isEmpty() ? null : HealthServer.start(options.health(), this::dead, this::unready)) {
            Grounds.make(options);
            // sessions end before there are volumes to hear of it only when no volume shows them
            Volumes[] volumes = new Volumes[1];
            Holder holder = claim((session, how) -> {
                if (volumes[0] != null) {
                    volumes[0].sessionEnded(session.id(), how);
                }
            });
            volumes[0] = Volumes.open(options.volumes(), holder);
            serve(holder, volumes[0]);
            end.await();
        }
    }

    private Holder claim(Holder.Listener listener) throws IOException, InterruptedException {
        HolderOptions how =
                new HolderOptions(options.state(), Map.of(), options.cache().toString(), null, READ_AHEAD_KB, true);
        AwaitedDaemon daemon = new AwaitedDaemon(options.state().custodySocket());
        boolean said = false;
        while (true) {
            Holder holder = Holder.claim(how, daemon, Mounter.ofThisProcess(), listener);
            if (holder != null) {
                return holder;
            }
            if (!said) {
                LOG.info("another driver serves this node; standing by");
                said = true;
            }
            TimeUnit.MILLISECONDS.sleep(TICK_MILLIS);
        }
    }

    private synchronized void serve(Holder holder, Volumes volumes) throws IOException {
        if (leaving) {
            return;
        }
        Thread.ofPlatform().daemon().name("recovery").start(() -> recover(volumes));
        NodeService node = new NodeService(options.node(), volumes, options.deadline());
        IdentityService identity =
                new IdentityService(options.name(), () -> holder.trouble().isEmpty());
        SocketServer csi = SocketServer.start(options.socket(), identity, node);
        SocketServer registration =
                SocketServer.start(options.registration(), new Registration(options.name(), options.socket()));
        serving = new Serving(holder, node, csi, registration);
        LOG.info("{} serves node {} at {}", options.name(), options.node(), options.socket());
    }

    private static void recover(Volumes volumes) {
        try {
            volumes.recover();
        } catch (IOException | RuntimeException e) {
            LOG.error("what an earlier driver left cannot be set right", e);
        } catch (InterruptedException e) {
            LOG.debug("interrupted", e);
        }
    }

    private String dead() {
        Serving now = serving;
        return now == null || now.csi().isServing() ? "" : "the CSI endpoint is closed";
    }

    private String unready() {
        Serving now = serving;
        return now == null ? "" : now.holder().trouble();
    }

    /** Told to end: takes no more calls, and goes when a daemon keeps the sessions. */
    private void leave() {
        Serving now;
        synchronized (this) {
            leaving = true;
            now = serving;
        }
        if (now != null) {
            try {
                now.registration().close(0);
                now.csi().close(TO_FINISH.toMillis());
                if (!now.holder().leave(options.grace())) {
                    LOG.error(
                            "no daemon keeps the sessions within {} s: they end with this process",
                            options.grace().toSeconds());
                }
            } catch (IOException e) {
                LOG.error("cannot leave in order", e);
            } catch (InterruptedException e) {
                LOG.debug("interrupted", e);
            }
        }
        end.countDown();
        Runtime.getRuntime().halt(0);
    }
}
