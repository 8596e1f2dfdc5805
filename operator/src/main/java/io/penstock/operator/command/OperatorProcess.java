package io.penstock.operator.command;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.javaoperatorsdk.operator.Operator;
import io.javaoperatorsdk.operator.api.config.ControllerConfigurationOverrider;
import io.javaoperatorsdk.operator.api.config.LeaderElectionConfigurationBuilder;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.processing.event.rate.LinearRateLimiter;
import io.javaoperatorsdk.operator.processing.event.source.filter.OnUpdateFilter;
import io.javaoperatorsdk.operator.processing.retry.GenericRetry;
import io.penstock.cache.control.health.HealthServer;
import io.penstock.cache.model.PenstockException;
import io.penstock.operator.certificates.CertificateSource;
import io.penstock.operator.certificates.Certificates;
import io.penstock.operator.certificates.Certificates.Material;
import io.penstock.operator.certificates.StoredCertificates;
import io.penstock.operator.dataset.DatasetReconciler;
import io.penstock.operator.load.LoadReconciler;
import io.penstock.operator.metrics.Meters;
import io.penstock.operator.metrics.MetricsServer;
import io.penstock.operator.metrics.ObjectCounts;
import io.penstock.operator.node.Daemon;
import io.penstock.operator.node.Dialer;
import io.penstock.operator.node.NodeClients;
import io.penstock.operator.node.NodeListener;
import io.penstock.operator.node.NodePoller;
import io.penstock.operator.runtime.DaemonTemplate;
import io.penstock.operator.runtime.RuntimeReconciler;
import io.penstock.operator.runtime.StartupTaint;
import io.penstock.operator.watch.Cluster;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An operator that runs: everything that watches, asks and reconciles. Of several one leads; the others watch, answer
 * webhooks, and wait.
 */
public final class OperatorProcess implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(OperatorProcess.class);
    private static final String LEASE = "penstock-operator";
    private static final int THREADS = 8;
    private static final Duration RATE = Duration.ofSeconds(1);
    private static final int PER_RATE = 5;
    private static final Duration AGAIN = Duration.ofSeconds(5);
    private static final Duration LONGEST_RETRY = Duration.ofMinutes(2);

    private final OperatorOptions options;
    private final KubernetesClient client;
    private final Cluster cluster;
    private final Identities identities;
    private final Admission admission;
    private final NodeClients clients;
    private final NodePoller poller;
    private final DatasetReconciler datasets;
    private final LoadReconciler loads;
    private final RuntimeReconciler runtimes;
    private final StartupTaint taint;
    private final ExecutorService work = Executors.newVirtualThreadPerTaskExecutor();
    private final Operator operator;
    private volatile boolean leading;
    private volatile boolean closing;
    private final Meters meters;
    private @Nullable HealthServer health;
    private @Nullable MetricsServer metrics;

    private OperatorProcess(OperatorOptions options, KubernetesClient client, Meters meters, @Nullable Dialer dialer)
            throws PenstockException {
        this.options = options;
        this.client = client;
        this.meters = meters;
        Clock clock = Clock.systemUTC();
        cluster = new Cluster(client, options.namespace(), options.watched(), options.controlPort());
        CertificateSource certificates = options.ownCertificates()
                ? new Certificates(client, options.namespace(), options.webhookNames(), clock)
                : new StoredCertificates(client, options.namespace());
        DaemonTemplate template = new DaemonTemplate(options.template(), options.namespace());
        admission = new Admission(options.webhook(), client, cluster, template.sidecar(), meters::reviewed, AGAIN);
        identities = new Identities(certificates, material -> {
            renewed(material);
            admission.renew(material);
        });
        clients = new NodeClients(dialer == null ? identities::dial : dialer);
        poller = new NodePoller(clients, options.pollInterval(), new NodeListener() {
            @Override
            public void snapshotsChanged(Set<String> digests) {
                datasets().snapshotsChanged(digests);
                loads().snapshotsChanged(digests);
            }

            @Override
            public void runtimeChanged(String runtime) {
                runtimes().runtimeChanged(runtime);
            }

            @Override
            public void sessionLost(Daemon daemon, String message, long time) {
                work.execute(() -> runtimes().sessionLost(daemon, message, time));
            }

            @Override
            public void asked(Duration took, boolean answered) {
                meters.polled(took, answered);
            }
        });
        datasets = new DatasetReconciler(client, cluster, clients, poller, clock);
        loads = new LoadReconciler(client, cluster, clients, poller, clock);
        runtimes = new RuntimeReconciler(client, cluster, poller, template, clock);
        taint = new StartupTaint(client, cluster, work, () -> leading);
        cluster.daemonPods().onChange(pod -> {
            if (leading) {
                follow();
                String runtime = pod.getMetadata().getLabels().get(Cluster.RUNTIME_LABEL);
                runtimes.runtimeChanged(runtime);
                datasets.runtimeChanged(runtime);
                loads.nodesChanged();
            }
        });
        ThreadPoolExecutor threads = new ThreadPoolExecutor(
                THREADS, THREADS, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), Executors.defaultThreadFactory());
        ObjectCounts.tell(meters, cluster, poller, loads::all, threads, () -> leading);
        operator = new Operator(o -> {
            o.withKubernetesClient(client)
                    .withCloseClientOnStop(false)
                    .checkingCRDAndValidateLocalModel(false)
                    .withExecutorService(threads)
                    .withMetrics(meters.reconciles())
                    .withReconciliationTerminationTimeout(Duration.ofSeconds(5));
            if (options.leaderElection()) {
                o.withLeaderElectionConfiguration(LeaderElectionConfigurationBuilder.aLeaderElectionConfiguration(LEASE)
                        .withLeaseNamespace(options.namespace())
                        .withIdentity(LEASE + "-" + UUID.randomUUID())
                        // Told to exit when it is told to stop, the process would wait for itself.
                        .withExitOnStopLeading(false)
                        .withLeaderCallbacks(new LeaderCallbacks(this::lead, this::noLongerLeads, who -> {
                            LOG.info("{} leads", who);
                        }))
                        .build());
            }
        });
        register(datasets, DatasetReconciler.FINALIZER);
        register(loads, LoadReconciler.FINALIZER);
        register(runtimes, RuntimeReconciler.FINALIZER);
    }

    private DatasetReconciler datasets() {
        return datasets;
    }

    private LoadReconciler loads() {
        return loads;
    }

    private RuntimeReconciler runtimes() {
        return runtimes;
    }

    /** Starts; returns when the cluster is watched. */
    public static OperatorProcess start(OperatorOptions options, KubernetesClient client, Meters meters)
            throws PenstockException {
        return start(options, client, meters, null);
    }

    /** @param dialer speaks to daemons; null: over TLS, at the addresses of their pods */
    static OperatorProcess start(
            OperatorOptions options, KubernetesClient client, Meters meters, @Nullable Dialer dialer)
            throws PenstockException {
        OperatorProcess process = new OperatorProcess(options, client, meters, dialer);
        try {
            process.begin(dialer == null);
            return process;
        } catch (PenstockException | RuntimeException e) {
            process.close();
            throw e;
        }
    }

    private void begin(boolean tls) throws PenstockException {
        if (!options.health().isEmpty()) {
            health = HealthServer.start(options.health(), () -> "", this::trouble);
        }
        if (!options.metrics().isEmpty()) {
            metrics = MetricsServer.start(options.metrics(), meters);
        }
        if (tls) {
            identities.begin();
        }
        cluster.start();
        if (!options.leaderElection()) {
            lead();
        }
        operator.start();
        LOG.info("the operator runs in namespace {}", options.namespace());
    }

    /** Where metrics are served. */
    int metricsPort() {
        return Objects.requireNonNull(metrics).port();
    }

    /** Empty when it does all that it should, else why not. */
    private String trouble() {
        String watching = cluster.trouble();
        return watching.isEmpty() ? admission.trouble() : watching;
    }

    private void lead() {
        leading = true;
        follow();
        taint.lookAtAll();
        String pod = System.getenv("HOSTNAME");
        if (options.leaderElection() && pod != null) {
            work.execute(() -> LeaseOwner.take(client, options.namespace(), pod, LEASE));
        }
    }

    /** Whoever has lost the lead while it ran has work going on that is another's now: it ends, and starts anew. */
    private void noLongerLeads() {
        leading = false;
        if (!closing) {
            LOG.error("another leads, or the API server cannot be reached: this operator ends");
            work.execute(() -> System.exit(1));
        }
    }

    private void follow() {
        poller.follow(cluster.daemons());
    }

    private void renewed(Material material) {
        clients.renew();
        try {
            meters.certificates(material.ends());
        } catch (GeneralSecurityException e) {
            LOG.error("a certificate cannot be read: {}", e.getMessage());
        }
    }

    private <T extends HasMetadata> void register(Reconciler<T> reconciler, String finalizer) {
        var _ = operator.register(
                reconciler,
                (ControllerConfigurationOverrider<T> controller) -> controller
                        .withFinalizer(finalizer)
                        .withGenerationAware(false)
                        .withOnUpdateFilter(asked())
                        .withRetry(new GenericRetry()
                                .setInitialInterval(1000)
                                .setIntervalMultiplier(2)
                                .setMaxInterval(LONGEST_RETRY.toMillis())
                                .setMaxAttempts(Integer.MAX_VALUE))
                        .withRateLimiter(new LinearRateLimiter(RATE, PER_RATE))
                        .settingNamespaces(
                                options.watched().isEmpty() || reconciler == runtimes
                                        ? Set.of("JOSDK_ALL_NAMESPACES")
                                        : options.watched()));
    }

    /** What people write, and what keeps an object from going; not the status, which the operator writes itself. */
    private static <T extends HasMetadata> OnUpdateFilter<T> asked() {
        return (now, before) -> !Objects.equals(
                        now.getMetadata().getGeneration(), before.getMetadata().getGeneration())
                || !Objects.equals(
                        now.getMetadata().getAnnotations(), before.getMetadata().getAnnotations())
                || !Objects.equals(
                        now.getMetadata().getFinalizers(), before.getMetadata().getFinalizers())
                || !Objects.equals(
                        now.getMetadata().getDeletionTimestamp(),
                        before.getMetadata().getDeletionTimestamp());
    }

    @Override
    public void close() {
        closing = true;
        if (health != null) {
            health.close();
        }
        if (metrics != null) {
            metrics.close();
        }
        operator.stop();
        identities.close();
        admission.close();
        poller.close();
        clients.close();
        cluster.close();
        work.shutdownNow();
        client.close();
    }
}
