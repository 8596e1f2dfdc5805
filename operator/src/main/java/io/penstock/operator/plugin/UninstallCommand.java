package io.penstock.operator.plugin;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.Output;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.operator.plugin.Cluster.Answer;
import io.penstock.operator.plugin.Cluster.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "uninstall",
        hidden = true,
        description = {
            "Deletes what the operator has made in its namespace: what helm uninstall runs first.",
            "Fails, and deletes nothing, while there are Datasets."
        })
final class UninstallCommand implements Callable<Integer> {
    private static final List<String> SECRETS = List.of("penstock-ca", "penstock-daemon-tls");
    private static final int NAMED = 10;

    @Mixin
    private GlobalOptions global;

    @Mixin
    private ClusterOptions options;

    @Option(
            names = "--watched",
            paramLabel = "NAMESPACE",
            split = ",",
            description = "Where Datasets are looked for; everywhere, without it.")
    private List<String> namespaces = List.of();

    @Override
    public Integer call() throws PenstockException, InterruptedException {
        Output output = global.output();
        long end = System.nanoTime() + global.timeout(Duration.ofMinutes(2)).toNanos();
        try (Cluster cluster = options.connect()) {
            List<String> datasets = datasets(cluster);
            if (!datasets.isEmpty()) {
                throw new PenstockException(
                        ErrorCode.IN_USE,
                        datasets.size() + " Datasets are still there: "
                                + datasets.stream().limit(NAMED).collect(Collectors.joining(", ")),
                        "Delete the pods that mount them, then: kubectl delete datasets --all-namespaces --all");
            }
            for (String runtime : names(cluster, Kind.RUNTIME)) {
                delete("CacheRuntime " + runtime, () -> cluster.delete(Kind.RUNTIME, runtime), output);
            }
            for (List<String> left = names(cluster, Kind.RUNTIME);
                    !left.isEmpty();
                    left = names(cluster, Kind.RUNTIME)) {
                if (System.nanoTime() > end) {
                    throw new PenstockException(
                            ErrorCode.NOT_READY,
                            "CacheRuntimes are still there: " + String.join(", ", left),
                            "Does the operator run? kubectl -n " + cluster.system()
                                    + " logs deployment/penstock-operator",
                            true,
                            null);
                }
                TimeUnit.SECONDS.sleep(1);
            }
            for (String secret : SECRETS) {
                delete(
                        "Secret " + secret,
                        () -> cluster.client()
                                .secrets()
                                .inNamespace(cluster.system())
                                .withName(secret)
                                .delete(),
                        output);
            }
        }
        return ErrorCode.Exit.DONE;
    }

    /** Of all namespaces, or of those that the operator looks at. */
    private List<String> datasets(Cluster cluster) throws PenstockException {
        if (namespaces.isEmpty()) {
            return names(cluster.in(null), Kind.DATASET);
        }
        List<String> names = new ArrayList<>();
        for (String namespace : namespaces) {
            names.addAll(names(cluster.in(namespace), Kind.DATASET));
        }
        return names;
    }

    private static List<String> names(Cluster cluster, Kind kind) throws PenstockException {
        Answer<List<GenericKubernetesResource>> answer = cluster.list(kind);
        if (answer.unknown()) {
            return List.of();
        }
        if (!answer.allowed()) {
            throw new PenstockException(ErrorCode.KUBERNETES, answer.denied(), "It needs the operator's account.");
        }
        return answer.value().stream().map(Fields::name).toList();
    }

    private static void delete(String what, Supplier<?> deletion, Output output) throws PenstockException {
        try {
            var ignored = deletion.get();
            output.line("deleted  " + what);
        } catch (KubernetesClientException e) {
            throw new PenstockException(
                    ErrorCode.KUBERNETES,
                    what + " cannot be deleted: " + Cluster.reason(e),
                    "It needs the operator's account.",
                    true,
                    e);
        }
    }
}
