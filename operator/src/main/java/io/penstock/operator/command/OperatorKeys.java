package io.penstock.operator.command;

import io.penstock.cache.config.Key;
import io.penstock.cache.config.KeyCatalogue;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** What can be configured of the operator. */
public final class OperatorKeys implements KeyCatalogue {
    static final Key<String> NAMESPACE =
            Key.text("operator.namespace", "penstock-system", "Namespace of the operator and of the daemons");
    static final Key<String> WATCH_NAMESPACES =
            Key.text("operator.watch-namespaces", "", "Namespaces whose Datasets are looked at: a,b; empty: all");
    static final Key<Path> DAEMON_TEMPLATE = Key.path(
            "operator.daemon-template",
            "/etc/penstock/daemon.yaml",
            "DaemonSet that those of the runtimes are made from; the chart writes it");
    static final Key<String> HEALTH = Key.text(
            "operator.health", "", "Address that penstock operator answers probes at: 0.0.0.0:9811; empty: none");
    static final Key<String> METRICS = Key.text(
            "operator.metrics",
            "",
            "Address that penstock operator gives its metrics to Prometheus at, /metrics, to whoever asks: 0.0.0.0:9812; empty:"
                    + " none");
    static final Key<String> WEBHOOK =
            Key.text("operator.webhook", "", "Address that the API server asks: 0.0.0.0:9443; empty: no webhooks");
    static final Key<String> WEBHOOK_NAMES = Key.text(
            "operator.webhook-names",
            "",
            "Names in the certificate of the webhooks; empty: those of Service penstock-operator");
    static final Key<Boolean> LEADER_ELECTION =
            Key.flag("operator.leader-election", true, "Of several operators one works, the others stand by");
    static final Key<Duration> POLL_INTERVAL =
            Key.duration("operator.poll-interval", "5s", "How often each daemon is asked what it holds");
    static final Key<Integer> CONTROL_PORT =
            Key.integer("operator.control-port", 9810, 1, 65535, "Port of the daemons' control API");

    static final Key<Made> CERTIFICATES = Key.choice(
            "operator.certificates",
            Made.class,
            Made.OWN,
            "Who makes certificates: own, the operator itself; secrets, somebody else, who keeps them in the Secrets"
                    + " penstock-operator-tls, penstock-webhook-tls and penstock-daemon-tls");

    /** By whom certificates are made. */
    enum Made {
        OWN,
        SECRETS
    }

    @Override
    public List<Key<?>> keys() {
        return List.of(
                NAMESPACE,
                WATCH_NAMESPACES,
                DAEMON_TEMPLATE,
                HEALTH,
                METRICS,
                WEBHOOK,
                WEBHOOK_NAMES,
                LEADER_ELECTION,
                POLL_INTERVAL,
                CONTROL_PORT,
                CERTIFICATES);
    }
}
