package io.penstock.operator.plugin;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.File;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Option;

/** Which cluster, and what of it; a picocli mixin. */
final class ClusterOptions {
    private static final int TIMEOUT_MS = 10_000;

    @Option(
            names = {"-n", "--namespace"},
            paramLabel = "NAMESPACE",
            description = "Instead of the namespace of the context.")
    private String namespace;

    @Option(
            names = {"-A", "--all-namespaces"},
            description = "Datasets and DataLoads of all namespaces.")
    private boolean all;

    @Option(names = "--context", paramLabel = "CONTEXT", description = "A context of the kubeconfig.")
    private String context;

    @Option(names = "--kubeconfig", paramLabel = "FILE", description = "Instead of KUBECONFIG and ~/.kube/config.")
    private File kubeconfig;

    @Option(
            names = "--system-namespace",
            paramLabel = "NAMESPACE",
            defaultValue = "penstock-system",
            description = "Where Penstock is installed.")
    private String system = "penstock-system";

    Cluster connect() throws PenstockException {
        silence();
        Config config = kubeconfig == null ? Config.autoConfigure(context) : Config.fromKubeconfig(kubeconfig);
        if (kubeconfig != null && context != null) {
            throw new PenstockException(
                    ErrorCode.USAGE,
                    "--kubeconfig and --context cannot be given together",
                    "Name the file in the variable KUBECONFIG.");
        }
        config.setRequestTimeout(TIMEOUT_MS);
        config.setConnectionTimeout(TIMEOUT_MS);
        config.setRequestRetryBackoffLimit(1);
        KubernetesClient client =
                new KubernetesClientBuilder().withConfig(config).build();
        try {
            String version = client.getKubernetesVersion().getGitVersion();
            String current = client.getNamespace() == null ? "default" : client.getNamespace();
            return new Cluster(client, version, namespace == null ? current : namespace, all, system);
        } catch (KubernetesClientException e) {
            client.close();
            throw new PenstockException(
                    ErrorCode.KUBERNETES,
                    "the API server " + config.getMasterUrl() + " does not answer: " + Cluster.reason(e),
                    "Try: kubectl version. Which cluster is asked is said by KUBECONFIG or --context.",
                    true,
                    e);
        }
    }

    /** What the client logs is said by the errors; standard output has the result only. */
    private static void silence() {
        if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
            context.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(Level.OFF);
        }
    }
}
