package io.penstock.operator.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.penstock.operator.api.Api;
import io.penstock.operator.api.Conditions;
import io.penstock.operator.api.DataLoad;
import io.penstock.operator.api.Dataset;
import io.penstock.operator.node.FakeDaemon;
import java.net.HttpURLConnection;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * Operators are killed at random points while people make, change and remove Datasets, DataLoads and pods. Afterwards
 * everything is as the objects ask, and nothing of those that are gone is left.
 */
@Timeout(900)
final class OperatorKillsTest {
    private static final double SCALE = Double.parseDouble(System.getProperty("penstock.test.scale", "1"));
    private static final Duration LONG = Duration.ofMinutes(1);

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    private Path directory;

    private TestCluster cluster;
    private RealOperator operators;
    private final Map<String, AtomicInteger> versions = new ConcurrentHashMap<>();
    private final Map<String, Boolean> wanted = new TreeMap<>(); // and whether it has credentials
    private final Set<String> pods = new TreeSet<>();
    private final Set<String> loads = new TreeSet<>();
    private Random random;

    @BeforeEach
    void start() throws Exception {
        cluster = new TestCluster(directory);
        operators = new RealOperator(cluster, directory);
        for (int i = 1; i <= 2; i++) {
            FakeDaemon daemon = operators.node(i);
            daemon.completeAtOnce = true;
            daemon.origin(
                    source -> FakeDaemon.snapshot(source.getLocation(), hex(source.getLocation()), FakeDaemon.GIB, 0));
        }
        cluster.runtime("");
        cluster.client
                .resource(new SecretBuilder()
                        .withNewMetadata()
                        .withNamespace(cluster.namespace)
                        .withName("s3")
                        .endMetadata()
                        .addToStringData("id", "AKIA")
                        .addToStringData("key", "hush")
                        .build())
                .create();
        long seed = Long.getLong("penstock.test.seed", System.nanoTime());
        System.out.println("seed " + seed);
        random = new Random(seed);
    }

    @AfterEach
    void stop() throws Exception {
        if (operators != null) {
            operators.killAll();
        }
        if (cluster != null) {
            cluster.close();
        }
    }

    /** What the origin has there now. */
    private String hex(String location) {
        return "%08x".formatted(Objects.hash(location, version(location).get()));
    }

    private AtomicInteger version(String location) {
        return versions.computeIfAbsent(location, l -> new AtomicInteger());
    }

    @Test
    void afterAFewKillsEverythingIsAsAsked() throws Exception {
        kill(4, 5);
    }

    @Test
    @Tag("long")
    void afterFiftyKillsEverythingIsAsAsked() throws Exception {
        kill((int) Math.max(4, 50 * SCALE), 20);
    }

    private void kill(int kills, int datasets) throws Exception {
        int acts = 0;
        for (int i = 0; i < kills; i++) {
            Process operator = operators.start(Map.of());
            // It takes a second or two until it watches; some die before.
            long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(500 + random.nextInt(5500));
            while (System.nanoTime() < end) {
                act("d" + random.nextInt(datasets));
                acts++;
            }
            RealOperator.kill(operator);
        }
        System.out.println(kills + " kills during " + acts + " changes; " + wanted.size() + " Datasets remain");
        assertThat(acts).isGreaterThan(10 * kills);
        for (String pod : List.copyOf(pods)) {
            deletePod(pod);
        }
        var last = operators.start(Map.of());
        converged();
        nothingIsLeftOfOthers();
        List.copyOf(loads).forEach(this::deleteLoad);
        List.copyOf(wanted.keySet()).forEach(this::delete);
        nothingIsLeftOfOthers();
        assertThat(last.isAlive()).isTrue();
    }

    private void act(String name) {
        switch (random.nextInt(10)) {
            case 0, 1, 2, 3 -> apply(name);
            case 4, 5 -> delete(name);
            case 6 -> refresh(name);
            case 7 -> {
                if (pods.contains(name)) {
                    deletePod(name);
                } else {
                    cluster.pod(name, name);
                    pods.add(name);
                }
            }
            default -> {
                if (loads.contains(name)) {
                    deleteLoad(name);
                } else {
                    load(name);
                }
            }
        }
    }

    private void apply(String name) {
        Dataset there = cluster.dataset(name);
        if (there != null && there.getMetadata().getDeletionTimestamp() != null) {
            return;
        }
        boolean secret = random.nextBoolean();
        String policy = List.of("Pinned", "Manual", "Follow").get(random.nextInt(3));
        String order = List.of("all", "none", "reading-order").get(random.nextInt(3));
        String location = "s3://models/" + name + "/" + random.nextInt(2);
        cluster.dataset(
                name,
                location,
                (secret ? """
                        encryptOptions:
                          - { name: access-key-id, valueFrom: { secretKeyRef: { name: s3, key: id } } }
                          - { name: secret-access-key, valueFrom: { secretKeyRef: { name: s3, key: key } } }
                        """.indent(4) : "") + "update: { policy: " + policy + " }\nprefetch: { order: " + order
                        + " }\n"
                        + "retain: " + (random.nextBoolean() ? "Retain" : "Delete") + "\n");
        wanted.put(name, secret);
    }

    private void delete(String name) {
        cluster.client
                .resources(Dataset.class)
                .inNamespace(cluster.namespace)
                .withName(name)
                .delete();
        wanted.remove(name);
    }

    /** The origin has something else, and somebody asks to look. */
    private void refresh(String name) {
        if (!wanted.containsKey(name)) {
            return;
        }
        version("s3://models/" + name + "/" + random.nextInt(2)).incrementAndGet();
        try {
            cluster.client
                    .resources(Dataset.class)
                    .inNamespace(cluster.namespace)
                    .withName(name)
                    .edit(d -> {
                        var annotations = new TreeMap<>(
                                Objects.requireNonNullElse(d.getMetadata().getAnnotations(), Map.of()));
                        annotations.put("cache.penstock.io/refresh", Integer.toString(random.nextInt()));
                        d.getMetadata().setAnnotations(annotations);
                        return d;
                    });
        } catch (KubernetesClientException e) {
            if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
                throw e;
            }
        }
    }

    private void deletePod(String name) {
        cluster.client
                .pods()
                .inNamespace(cluster.namespace)
                .withName(name)
                .withGracePeriod(0)
                .delete();
        pods.remove(name);
    }

    private void load(String name) {
        cluster.apply("""
                apiVersion: cache.penstock.io/v1alpha1
                kind: DataLoad
                metadata: { name: %s, namespace: %s }
                spec: { dataset: { name: %s } }
                """.formatted(name, cluster.namespace, name));
        loads.add(name);
    }

    private void deleteLoad(String name) {
        cluster.client
                .resources(DataLoad.class)
                .inNamespace(cluster.namespace)
                .withName(name)
                .delete();
        loads.remove(name);
    }

    private void converged() {
        wanted.forEach((name, secret) -> await(name).atMost(LONG).untilAsserted(() -> {
            Dataset dataset = Objects.requireNonNull(cluster.dataset(name), () -> name + " is gone");
            assertThat(dataset.getStatus()).as("status of %s", name).isNotNull();
            assertThat(Conditions.find(dataset.getStatus().conditions(), "Ready")
                            .map(Condition::getStatus))
                    .as("%s", dataset.getStatus())
                    .contains("True");
            assertThat(dataset.getStatus().observedGeneration())
                    .isEqualTo(dataset.getMetadata().getGeneration());
            assertThat(volumes(name)).hasSize(1).first().satisfies(v -> {
                assertThat(v.getMetadata().getDeletionTimestamp()).isNull();
                var csi = v.getSpec().getCsi();
                assertThat(csi.getVolumeAttributes())
                        .containsEntry("source", dataset.getSpec().mount().mountPoint());
                String fixed = csi.getVolumeAttributes().get("snapshot");
                assertThat(fixed == null
                                || fixed.equals(Objects.requireNonNull(
                                                dataset.getStatus().snapshot())
                                        .digest()))
                        .isTrue();
                assertThat(csi.getNodePublishSecretRef() != null).isEqualTo(secret);
                PersistentVolumeClaim claim = claims().get(name);
                assertThat(claim).isNotNull();
                assertThat(claim.getMetadata().getDeletionTimestamp()).isNull();
                assertThat(claim.getSpec().getVolumeName())
                        .isEqualTo(v.getMetadata().getName());
            });
            assertThat(secrets().contains(name + "-penstock")).isEqualTo(secret);
        }));
    }

    private void nothingIsLeftOfOthers() {
        await().atMost(LONG).untilAsserted(() -> {
            assertThat(names(cluster.client
                            .resources(Dataset.class)
                            .inNamespace(cluster.namespace)
                            .list()
                            .getItems()))
                    .isEqualTo(new TreeSet<>(wanted.keySet()));
            assertThat(names(cluster.client
                            .resources(DataLoad.class)
                            .inNamespace(cluster.namespace)
                            .list()
                            .getItems()))
                    .isEqualTo(loads);
            assertThat(claims().keySet()).isEqualTo(wanted.keySet());
            assertThat(volumes()).hasSameSizeAs(wanted.keySet());
            assertThat(secrets())
                    .isEqualTo(names(wanted.entrySet().stream()
                            .filter(Map.Entry::getValue)
                            .map(e -> e.getKey() + "-penstock")));
        });
    }

    private static Set<String> names(List<? extends HasMetadata> objects) {
        return names(objects.stream().map(o -> o.getMetadata().getName()));
    }

    private static Set<String> names(Stream<String> names) {
        return names.collect(Collectors.toCollection(TreeSet::new));
    }

    private List<PersistentVolume> volumes() {
        return cluster.client.persistentVolumes().withLabel(Api.DATASET_LABEL).list().getItems().stream()
                .filter(v -> cluster.namespace.equals(v.getSpec().getClaimRef().getNamespace()))
                .toList();
    }

    private List<PersistentVolume> volumes(String dataset) {
        return volumes().stream()
                .filter(v -> v.getSpec().getClaimRef().getName().equals(dataset))
                .toList();
    }

    private Map<String, PersistentVolumeClaim> claims() {
        Map<String, PersistentVolumeClaim> claims = new TreeMap<>();
        cluster.client
                .persistentVolumeClaims()
                .inNamespace(cluster.namespace)
                .list()
                .getItems()
                .forEach(c -> claims.put(c.getMetadata().getName(), c));
        return claims;
    }

    private Set<String> secrets() {
        return names(cluster.client
                .secrets()
                .inNamespace(cluster.namespace)
                .withLabel(Api.DATASET_LABEL)
                .list()
                .getItems());
    }
}
