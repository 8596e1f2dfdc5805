package io.penstock.operator.command;

import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.config.Config;
import io.penstock.cache.logs.Logs;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.operator.metrics.Meters;
import java.time.Clock;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "operator",
        description = {
            "Runs the operator of a Kubernetes cluster, in the foreground.",
            "Datasets, CacheRuntimes and DataLoads are carried out. It finds the API server as kubectl does: by its"
                    + " service account, or by KUBECONFIG."
        })
final class OperatorCommand implements Callable<Integer> {
    /** By which the API server's audit log and metrics know it. */
    static final String USER_AGENT = "penstock-operator";

    @Mixin
    private GlobalOptions global;

    @Override
    public Integer call() throws PenstockException, InterruptedException {
        Config config = global.config();
        Logs.toStdout(config);
        CountDownLatch end = new CountDownLatch(1);
        CountDownLatch ended = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().name("leaving").unstarted(() -> {
            end.countDown();
            try {
                ended.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
        Meters meters = new Meters(Clock.systemUTC());
        try (KubernetesClient client = new KubernetesClientBuilder()
                        .withConfig(
                                new ConfigBuilder().withUserAgent(USER_AGENT).build())
                        .withHttpClientBuilderConsumer(meters::count)
                        .build();
                OperatorProcess _ = OperatorProcess.start(OperatorOptions.of(config), client, meters)) {
            end.await();
        } catch (KubernetesClientException e) {
            throw new PenstockException(
                    ErrorCode.NOT_READY,
                    "the API server does not do what the operator needs: " + e.getMessage(),
                    "Check the address, the CRDs and the operator's roles.",
                    true,
                    e);
        } finally {
            ended.countDown();
        }
        return ErrorCode.Exit.DONE;
    }
}
