package io.penstock.deploy.e2e;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarBuilder;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * S3 servers in the cluster: {@code store} has the real model and looks at signatures, {@code big} has a synthetic one of
 * 1 GiB behind a model of an object store's network.
 */
final class ModelStore {
    static final String SECRET = "s3";
    static final String MODEL = "s3://models/minilm";
    /** The same files at other places. */
    static final String EARLIER = "s3://models/earlier";

    static final String LATER = "s3://models/later";
    /** Directories of the names that Fluid's samples load. */
    static final String SPARK = "s3://models/spark/";

    static final String BIG_MODEL = "s3://models/model";
    static final long BIG_BYTES = 1L << 30;

    private static final String NAME = "store";
    private static final int STORE = 9000;
    private static final int BIG = 9001;
    private static final int GENERATED = 9002;
    private static final String LABEL = "app";

    private static final String MODELS = """
            import os, shutil
            for name in ('minilm', 'earlier', 'later', 'spark/spark-2.4.7'):
                shutil.copytree('/models/minilm', '/data/models/' + name, dirs_exist_ok=True)
            os.makedirs('/data/models/spark/spark-3.0.1', exist_ok=True)
            shutil.copy('/models/minilm/vocab.txt', '/data/models/spark/spark-3.0.1/pyspark-3.0.1.tar.gz')
            """;

    private final Cluster cluster;
    private final String namespace;

    private ModelStore(Cluster cluster, String namespace) {
        this.cluster = cluster;
        this.namespace = namespace;
    }

    static ModelStore start(Cluster cluster, String namespace) {
        SecureRandom random = new SecureRandom();
        byte[] key = new byte[20];
        random.nextBytes(key);
        String secret = HexFormat.of().formatHex(key);
        cluster.apply(new SecretBuilder()
                .withNewMetadata()
                .withName(SECRET)
                .withNamespace(namespace)
                .endMetadata()
                .withStringData(Map.of("access-key-id", "e2e", "secret-access-key", secret))
                .build());
        cluster.apply(new PodBuilder()
                .withNewMetadata()
                .withName(NAME)
                .withNamespace(namespace)
                .withLabels(Map.of(LABEL, NAME, Suite.LABEL, "keep"))
                .endMetadata()
                .withNewSpec()
                .withTerminationGracePeriodSeconds(0L)
                .withNewSecurityContext()
                .withRunAsUser(65534L)
                .withRunAsGroup(65534L)
                .endSecurityContext()
                .addToInitContainers(new ContainerBuilder()
                        .withName("models")
                        .withImage(Settings.E2E_IMAGE)
                        .withImagePullPolicy("IfNotPresent")
                        .withCommand("python3", "-c", MODELS)
                        .addNewVolumeMount()
                        .withName("data")
                        .withMountPath("/data")
                        .endVolumeMount()
                        .build())
                .addToContainers(
                        bench(
                                "store",
                                STORE,
                                List.of("serve", "/data", "--host", "0.0.0.0", "--port", "" + STORE),
                                List.of(
                                        secret("AWS_ACCESS_KEY_ID", "access-key-id"),
                                        secret("AWS_SECRET_ACCESS_KEY", "secret-access-key"))),
                        bench(
                                "generated",
                                GENERATED,
                                List.of(
                                        "generated",
                                        "--layout",
                                        "llama-3-70b",
                                        "--size",
                                        "1GiB",
                                        "--tensors",
                                        "300",
                                        "--port",
                                        "" + GENERATED),
                                List.of()),
                        bench(
                                "big",
                                BIG,
                                List.of("origin", "--listen", "0.0.0.0:" + BIG, "--to", "127.0.0.1:" + GENERATED),
                                List.of()))
                .addNewVolume()
                .withName("data")
                .withNewEmptyDir()
                .endEmptyDir()
                .endVolume()
                .endSpec()
                .build());
        cluster.apply(new ServiceBuilder()
                .withNewMetadata()
                .withName(NAME)
                .withNamespace(namespace)
                .endMetadata()
                .withNewSpec()
                .withSelector(Map.of(LABEL, NAME))
                .addNewPort()
                .withName("store")
                .withPort(STORE)
                .endPort()
                .addNewPort()
                .withName("big")
                .withPort(BIG)
                .endPort()
                .endSpec()
                .build());
        ModelStore store = new ModelStore(cluster, namespace);
        store.awaitRunning(120);
        return store;
    }

    void awaitRunning(int seconds) {
        var ignored = cluster.awaitRunning(namespace, NAME, seconds);
    }

    private static Container bench(String name, int port, List<String> words, List<EnvVar> environment) {
        return new ContainerBuilder()
                .withName(name)
                .withImage(Settings.IMAGE)
                .withImagePullPolicy("IfNotPresent")
                .withArgs(Stream.concat(Stream.of("bench"), words.stream()).toList())
                .withEnv(environment)
                .addNewEnv()
                .withName("PENSTOCK_JAVA_OPTS")
                .withValue("-Xmx256m")
                .endEnv()
                .withNewReadinessProbe()
                .withPeriodSeconds(1)
                .withFailureThreshold(60)
                .withNewTcpSocket()
                .withPort(new IntOrString(port == GENERATED ? BIG : port))
                .endTcpSocket()
                .endReadinessProbe()
                .addNewVolumeMount()
                .withName("data")
                .withMountPath("/data")
                .endVolumeMount()
                .build();
    }

    private static EnvVar secret(String variable, String key) {
        return new EnvVarBuilder()
                .withName(variable)
                .withNewValueFrom()
                .withNewSecretKeyRef(key, SECRET, false)
                .endValueFrom()
                .build();
    }

    /** Attributes of a volume with the real model. */
    Map<String, String> model(String... more) {
        return attributes(MODEL, STORE, more);
    }

    /** Attributes of a volume with the synthetic model. */
    Map<String, String> bigModel(String... more) {
        return attributes(BIG_MODEL, BIG, more);
    }

    /** Where the server with the real model is. */
    String endpoint() {
        return endpoint(STORE);
    }

    /** Where the server with the synthetic model is. */
    String bigEndpoint() {
        return endpoint(BIG);
    }

    private String endpoint(int port) {
        return "http://" + NAME + "." + namespace + ".svc:" + port;
    }

    private Map<String, String> attributes(String source, int port, String... more) {
        Map<String, String> attributes = new TreeMap<>(
                Map.of("source", source, "endpoint", endpoint(port), "region", "us-east-1", "path-style", "on"));
        for (int i = 0; i < more.length; i += 2) {
            attributes.put(more[i], more[i + 1]);
        }
        return attributes;
    }
}
