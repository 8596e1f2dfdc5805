package io.penstock.operator.command;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.penstock.cache.control.ControlClient;
import io.penstock.cache.control.rpc.TlsIdentity;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.operator.certificates.CertificateSource;
import io.penstock.operator.certificates.Certificates.Material;
import io.penstock.operator.node.Daemon;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The certificates of this process, looked after: renewed ones are told on. Thread-safe. */
final class Identities implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Identities.class);
    private static final Duration LOOK = Duration.ofMinutes(10);
    private static final Duration AGAIN = Duration.ofSeconds(15);

    private final CertificateSource certificates;
    private final Consumer<Material> listener;
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("certificates").factory());
    private volatile @Nullable Material material;

    /** @param listener is told of the first and of each renewed one */
    Identities(CertificateSource certificates, Consumer<Material> listener) {
        this.certificates = certificates;
        this.listener = listener;
    }

    void begin() {
        look();
        var _ = clock.scheduleWithFixedDelay(this::look, LOOK.toSeconds(), LOOK.toSeconds(), TimeUnit.SECONDS);
    }

    private void look() {
        try {
            Material now = certificates.ensure();
            if (!now.equals(material)) {
                material = now;
                listener.accept(now);
            }
        } catch (GeneralSecurityException | KubernetesClientException e) {
            LOG.error("certificates cannot be made or renewed: {}; trying again", e.getMessage());
            var _ = clock.schedule(this::look, AGAIN.toSeconds(), TimeUnit.SECONDS);
        }
    }

    /** A client that the daemon lets in. */
    ControlClient dial(Daemon daemon) throws PenstockException {
        Material now = material;
        if (now == null) {
            throw new PenstockException(
                    ErrorCode.NOT_READY, "the operator has no certificates yet", "See its log.", true, null);
        }
        return ControlClient.remote(
                daemon.address(),
                new TlsIdentity(
                        now.authorities(),
                        now.operator().certificate(),
                        now.operator().key()));
    }

    @Override
    public void close() {
        clock.shutdownNow();
    }
}
