package io.penstock.cli.doctor;

import io.penstock.cache.control.ControlClient;
import io.penstock.cache.control.v1.MountInfo;
import io.penstock.cache.control.v1.NodeStatus;
import io.penstock.cache.control.v1.OriginHealth;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.model.Version;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The running daemon: its mounts and its origins. */
final class DaemonChecks {
    private static final long MOUNT_ANSWERS_WITHIN = 5;

    private final NodeStatus status;
    private final PenstockException absent;

    private DaemonChecks(NodeStatus status, PenstockException absent) {
        this.status = status;
        this.absent = absent;
    }

    static DaemonChecks ask(Path socket) {
        try (ControlClient client = ControlClient.connect(socket)) {
            return new DaemonChecks(client.status(), null);
        } catch (PenstockException e) {
            return new DaemonChecks(null, e);
        }
    }

    List<Check> all() {
        if (status == null) {
            return List.of(this::daemonAbsent, () -> Finding.skip("mounts and origins: nobody to ask"));
        }
        List<Check> checks = new ArrayList<>();
        checks.add(this::version);
        checks.add(this::held);
        status.getMountsList().forEach(m -> checks.add(() -> answers(m)));
        status.getOriginsList().forEach(o -> checks.add(() -> origin(o)));
        return checks;
    }

    private Finding daemonAbsent() {
        if (absent.code() == ErrorCode.NO_DAEMON && !absent.retryable()) {
            return Finding.skip("daemon: none runs");
        }
        return Finding.fail(absent.code(), "daemon: " + absent.getMessage(), "see its log", absent.remedy());
    }

    private Finding version() {
        String running = status.getDaemon().getVersion();
        return running.equals(Version.current())
                ? Finding.ok(
                        "daemon " + running + ", process " + status.getDaemon().getPid())
                : Finding.fail(
                        ErrorCode.DAEMON_FAILED,
                        "daemon " + running + ", this command " + Version.current(),
                        "Penstock was upgraded while the daemon ran",
                        "restart it: kill " + status.getDaemon().getPid() + "; its mounts go on");
    }

    private Finding held() {
        return status.getHeld() || status.getMountsCount() == 0
                ? Finding.ok("mounts are held: a daemon that dies is replaced")
                : Finding.fail(
                        ErrorCode.SESSION_LOST,
                        "nobody but the daemon holds the mounts",
                        "the holder was killed",
                        "run any penstock mount again: it takes over");
    }

    private static Finding answers(MountInfo mount) throws InterruptedException {
        Path point = Path.of(mount.getMountPoint());
        CompletableFuture<Boolean> look = new CompletableFuture<>();
        Thread.ofPlatform().daemon().start(() -> look.complete(Files.isDirectory(point)));
        try {
            if (look.get(MOUNT_ANSWERS_WITHIN, TimeUnit.SECONDS)) {
                return Finding.ok("mount " + point + " answers");
            }
            return Finding.fail(
                    ErrorCode.SESSION_LOST,
                    "mount " + point + " is no directory",
                    "it was unmounted, or its connection is gone",
                    "penstock unmount " + point + ", then mount it again");
        } catch (TimeoutException e) {
            return new Finding(
                    Finding.State.FAIL,
                    "mount " + point + " does not answer within " + MOUNT_ANSWERS_WITHIN + " s",
                    ErrorCode.SESSION_LOST,
                    "the daemon hangs or is being replaced",
                    "penstock status",
                    true);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        }
    }

    private static Finding origin(OriginHealth origin) {
        if (origin.getOk()) {
            return Finding.ok("origin " + origin.getOrigin()
                    + (origin.getLatencyNanos() == 0
                            ? ""
                            : ": " + Math.round(origin.getLatencyNanos() / 1e6) + " ms to the first byte"));
        }
        return new Finding(
                Finding.State.FAIL,
                "origin " + origin.getOrigin(),
                ErrorCode.byCode(origin.getLastError().getCode()).orElse(ErrorCode.INTERNAL),
                origin.getLastError().getMessage(),
                origin.getLastError().getRemedy(),
                origin.getLastError().getRetryable());
    }
}
