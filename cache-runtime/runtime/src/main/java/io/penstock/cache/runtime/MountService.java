package io.penstock.cache.runtime;

import io.penstock.cache.control.custody.Holder;
import io.penstock.cache.control.custody.HolderClient;
import io.penstock.cache.control.custody.HolderServer;
import io.penstock.cache.control.custody.Mounter;
import io.penstock.cache.control.custody.v1.MountAdded;
import io.penstock.cache.control.custody.v1.MountSpec;
import io.penstock.cache.linux.Mounts;
import io.penstock.cache.logs.Logs;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.Locations;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** Mounting and unmounting as commands do it: through the holder that runs, or by becoming it. */
public final class MountService {
    private static final Duration TO_END = Duration.ofSeconds(10);
    private static final Duration RACE = Duration.ofSeconds(10);

    private final Installation installation;

    public MountService(Installation installation) {
        this.installation = installation;
    }

    /**
     * Mounts. When this process becomes the holder, returns only when there is nothing left to hold.
     *
     * @param ready hears of the mount as soon as it can be used
     * @param patience until then
     * @param foreground keep the terminal, also when somebody waits for us to leave it
     */
    public void mount(MountSpec spec, Duration patience, boolean foreground, Consumer<MountAdded> ready)
            throws IOException, InterruptedException {
        long deadline = System.nanoTime() + RACE.toNanos();
        while (true) {
            Optional<HolderClient> client = HolderClient.connect(installation.state());
            if (client.isPresent()) {
                try (HolderClient holder = client.get()) {
                    ready.accept(holder.mount(spec, installation.askedCache(), patience));
                }
                return;
            }
            Holder holder = installation.claim(Duration.ZERO);
            if (holder != null) {
                hold(holder, foreground, () -> ready.accept(mount(holder, spec, patience)));
                return;
            }
            // somebody else is just becoming the holder, or ending as such
            if (System.nanoTime() > deadline) {
                throw new PenstockException(
                        ErrorCode.NOT_READY,
                        "the process that holds the mounts of "
                                + installation.state().path() + " does not answer",
                        "Look into " + installation.state().holderLog() + ".",
                        true,
                        null);
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }

    /**
     * Holds without a mount.
     *
     * @param linger how long with nothing to do; null: for ever
     * @return false when another process is the holder
     */
    public boolean hold(Duration linger, Runnable ready) throws IOException, InterruptedException {
        Holder holder = installation.claim(linger);
        if (holder == null) {
            return false;
        }
        hold(holder, false, () -> {
            holder.awaitReady();
            ready.run();
        });
        return true;
    }

    /** What is done first, while others can ask the holder already. */
    private interface First {
        void run() throws IOException, InterruptedException;
    }

    private void hold(Holder holder, boolean foreground, First first) throws IOException, InterruptedException {
        Thread hook = Thread.ofPlatform().unstarted(holder::close);
        Runtime.getRuntime().addShutdownHook(hook);
        try (HolderServer _ = HolderServer.start(holder)) {
            first.run();
            if (!foreground && Terminal.isWaitedFor()) {
                Terminal.leave(installation.state().holderLog());
            }
            String ignored = Logs.level("", "info");
            holder.awaitEnd();
        } finally {
            holder.close();
        }
    }

    private static MountAdded mount(Holder holder, MountSpec spec, Duration patience)
            throws IOException, InterruptedException {
        CompletableFuture<MountAdded> added = new CompletableFuture<>();
        Thread.ofPlatform().daemon().name("mount").start(() -> {
            try {
                added.complete(holder.mount(spec));
            } catch (IOException | InterruptedException | RuntimeException e) {
                added.completeExceptionally(e);
            }
        });
        try {
            return added.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new PenstockException(
                    ErrorCode.NOT_READY,
                    Locations.plain(spec.getLocation()) + " is not mounted within " + patience.toSeconds() + " s",
                    "Give it more --timeout, or see what penstock doctor says.",
                    true,
                    e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException io) {
                throw io;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    /** Unmounts; also what lost its holder. */
    public void unmount(Path point, boolean lazy, Duration patience) throws IOException, InterruptedException {
        Optional<HolderClient> client = HolderClient.connect(installation.state());
        if (client.isPresent()) {
            try (HolderClient holder = client.get()) {
                holder.unmount(point, lazy, patience);
                if (holder.mounts().getMountsCount() == 0) {
                    holder.awaitEnd(TO_END);
                }
                return;
            } catch (PenstockException e) {
                if (e.code() != ErrorCode.NOT_MOUNTED || !isOurs(point)) {
                    throw e;
                }
            }
        }
        if (!isOurs(point)) {
            throw new PenstockException(
                    ErrorCode.NOT_MOUNTED, "nothing of ours is mounted on " + point, "penstock status");
        }
        Mounter.ofThisProcess().unmount(point, lazy);
    }

    private static boolean isOurs(Path point) throws IOException {
        Mounts.Mount mount = Mounts.at(point);
        return mount != null && mount.type().equals(Mounter.TYPE);
    }
}
