package io.penstock.operator.command;

import io.penstock.cache.config.Config;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * How an operator works.
 *
 * @param namespace of itself and of the daemons
 * @param watched namespaces whose Datasets are looked at; empty: all
 * @param template DaemonSet as YAML
 * @param health address for probes; empty: none
 * @param metrics address for Prometheus; empty: none
 * @param webhook address for the API server; empty: none
 * @param webhookNames by which the API server calls it
 * @param ownCertificates whether it makes certificates itself; else they are read
 */
public record OperatorOptions(
        String namespace,
        Set<String> watched,
        Path template,
        String health,
        String metrics,
        String webhook,
        List<String> webhookNames,
        boolean leaderElection,
        Duration pollInterval,
        int controlPort,
        boolean ownCertificates) {
    private static final String SERVICE = "penstock-operator";

    static OperatorOptions of(Config config) {
        String namespace = config.get(OperatorKeys.NAMESPACE);
        List<String> names = words(config.get(OperatorKeys.WEBHOOK_NAMES));
        return new OperatorOptions(
                namespace,
                words(config.get(OperatorKeys.WATCH_NAMESPACES)).stream().collect(Collectors.toUnmodifiableSet()),
                config.get(OperatorKeys.DAEMON_TEMPLATE),
                config.get(OperatorKeys.HEALTH),
                config.get(OperatorKeys.METRICS),
                config.get(OperatorKeys.WEBHOOK),
                names.isEmpty() ? List.of(SERVICE + "." + namespace + ".svc") : names,
                config.get(OperatorKeys.LEADER_ELECTION),
                config.get(OperatorKeys.POLL_INTERVAL),
                config.get(OperatorKeys.CONTROL_PORT),
                config.get(OperatorKeys.CERTIFICATES) == OperatorKeys.Made.OWN);
    }

    private static List<String> words(String text) {
        return Arrays.stream(text.split(",", -1))
                .map(String::strip)
                .filter(w -> !w.isEmpty())
                .toList();
    }
}
