package io.penstock.operator.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.penstock.cache.control.v1.ResolveRequest;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.operator.api.Dataset;
import io.penstock.operator.node.FakeDaemon;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DatasetTest {
    private static final String SECRETS = """
            encryptOptions:
              - { name: access-key-id, valueFrom: { secretKeyRef: { name: s3, key: id } } }
              - { name: secret-access-key, valueFrom: { secretKeyRef: { name: s3, key: key } } }
            """.indent(4);

    @TempDir
    private Path directory;

    private TestCluster cluster;
    private FakeDaemon daemon;

    @BeforeEach
    void start() throws Exception {
        cluster = new TestCluster(directory);
        daemon = cluster.node("node-1");
        cluster.startOperator();
    }

    @AfterEach
    void stop() {
        if (cluster != null) {
            cluster.close();
        }
    }

    private void ready(String name) {
        cluster.expect(name, "Ready", "True", "Ready");
    }

    private PersistentVolumeClaim claim(String name) {
        return cluster.client
                .persistentVolumeClaims()
                .inNamespace(cluster.namespace)
                .withName(name)
                .get();
    }

    private PersistentVolume volume(String name) {
        return cluster.client
                .persistentVolumes()
                .withName(cluster.dataset(name).getStatus().volume())
                .get();
    }

    private void secret(Map<String, String> values) {
        cluster.client
                .resource(new SecretBuilder()
                        .withNewMetadata()
                        .withNamespace(cluster.namespace)
                        .withName("s3")
                        .endMetadata()
                        .withStringData(values)
                        .build())
                .create();
    }

    @Test
    void a_dataset_becomes_a_volume_and_a_claim_of_its_name_that_name_the_snapshot() {
        cluster.runtime("");
        secret(Map.of("id", "AKID", "key", "planted"));
        cluster.dataset("llama", SECRETS);
        ready("llama");
        Dataset llama = cluster.dataset("llama");
        assertThat(llama.getStatus().observedGeneration())
                .isEqualTo(llama.getMetadata().getGeneration());
        assertThat(llama.getStatus().snapshot().name()).isEqualTo("9f319f");
        assertThat(llama.getStatus().snapshot().size()).isEqualTo("100Gi");
        PersistentVolume volume = volume("llama");
        assertThat(volume.getSpec().getCsi().getVolumeAttributes())
                .containsEntry("source", "s3://models/llama")
                .containsEntry("prefetch", "reading-order")
                .containsEntry("snapshot", llama.getStatus().snapshot().digest());
        assertThat(claim("llama").getSpec().getVolumeName())
                .isEqualTo(volume.getMetadata().getName());
        var secret = cluster.client
                .secrets()
                .inNamespace(cluster.namespace)
                .withName(volume.getSpec().getCsi().getNodePublishSecretRef().getName())
                .get();
        assertThat(new String(
                        Base64.getDecoder().decode(secret.getData().get("secret-access-key")), StandardCharsets.UTF_8))
                .isEqualTo("planted");
        ResolveRequest asked = daemon.asked.stream()
                .filter(ResolveRequest.class::isInstance)
                .map(ResolveRequest.class::cast)
                .findFirst()
                .orElseThrow();
        assertThat(asked.getSource().getProve()).isTrue();
        assertThat(asked.getSource().getEnvironmentMap()).containsEntry("AWS_ACCESS_KEY_ID", "AKID");
        assertThat(cluster.dataset("llama").toString()).doesNotContain("planted");
    }

    @Test
    void errors_of_the_origin_become_reasons_and_the_message_says_what_to_do() {
        cluster.runtime("");
        daemon.origin(source -> {
            String name = source.getLocation().substring("s3://models/".length());
            throw switch (name) {
                case "bucket" ->
                    new PenstockException(
                            ErrorCode.ORIGIN_NOT_FOUND, source.getLocation() + ": no such bucket", "Check the name.");
                case "empty" ->
                    new PenstockException(
                            ErrorCode.ORIGIN_EMPTY, "nothing lies under " + source.getLocation(), "Check the prefix.");
                case "denied" ->
                    new PenstockException(
                            ErrorCode.ORIGIN_DENIED, source.getLocation() + ": 403 AccessDenied", "Check the secret.");
                default ->
                    new PenstockException(
                            ErrorCode.ORIGIN_UNREACHABLE,
                            source.getLocation() + ": connection refused",
                            "Check the endpoint.");
            };
        });
        cluster.dataset("bucket", "");
        cluster.dataset("empty", "");
        cluster.dataset("denied", "");
        cluster.dataset("away", "");
        expectRefused("bucket", "NotFound", "Check the name.");
        expectRefused("empty", "NotFound", "Check the prefix.");
        expectRefused("denied", "AccessDenied", "Check the secret.");
        expectRefused("away", "OriginUnreachable", "Check the endpoint.");
        assertThat(claim("denied")).isNull();
    }

    @Test
    void the_runtime_is_shown_when_none_is_named() {
        cluster.apply("""
                apiVersion: cache.penstock.io/v1alpha1
                kind: Dataset
                metadata: { name: plain, namespace: %s }
                spec: { mounts: [ { mountPoint: s3://models/plain } ] }
                """.formatted(cluster.namespace));
        // what the column RUNTIME shows
        assertThat(cluster.client
                        .genericKubernetesResources("cache.penstock.io/v1alpha1", "Dataset")
                        .inNamespace(cluster.namespace)
                        .withName("plain")
                        .get()
                        .<String>get("spec", "runtimeRef", "name"))
                .isEqualTo("default");
    }

    @Test
    void who_was_refused_is_said_and_no_secret() {
        cluster.runtime("");
        daemon.origin(source -> {
            throw new PenstockException(
                    ErrorCode.ORIGIN_DENIED,
                    source.getLocation() + ": 403 SignatureDoesNotMatch",
                    "Check access key, secret key, token and region.");
        });
        secret(Map.of("id", "AKID", "key", "planted"));
        cluster.dataset("with", SECRETS);
        cluster.dataset("without", "");
        cluster.dataset("public", "    options: { anonymous: \"true\" }");
        String name = cluster.namespace + "/s3";
        assertThat(cluster.expect("with", "SnapshotResolved", "False", "AccessDenied")
                        .getMessage())
                .contains("SignatureDoesNotMatch. It was read with Secret " + name
                        + " (id as access-key-id, key as secret-access-key). Check access key")
                .doesNotContain("AKID", "planted");
        assertThat(cluster.expect("without", "Ready", "False", "AccessDenied").getMessage())
                .contains("encryptOptions names no Secret");
        assertThat(cluster.expect("public", "Ready", "False", "AccessDenied").getMessage())
                .contains("without credentials");
    }

    private void expectRefused(String name, String reason, String remedy) {
        var condition = cluster.expect(name, "Ready", "False", reason);
        assertThat(condition.getMessage()).contains("s3://models/" + name, remedy, "PEN-04");
        assertThat(cluster.condition(name, "SnapshotResolved").orElseThrow().getStatus())
                .isEqualTo("False");
        assertThat(cluster.dataset(name).getStatus().status()).isEqualTo(reason);
    }

    @Test
    void a_missing_runtime_and_then_a_missing_secret_are_said_and_it_goes_on_when_they_are_there() {
        cluster.dataset("llama", SECRETS);
        assertThat(cluster.expect("llama", "Ready", "False", "RuntimeMissing").getMessage())
                .contains("CacheRuntime " + cluster.runtime, "spec.runtimeRef.name");
        cluster.runtime("");
        assertThat(cluster.expect("llama", "Ready", "False", "SecretMissing").getMessage())
                .contains(cluster.namespace + "/s3", "access-key-id");
        secret(Map.of("id", "AKID", "key", "planted"));
        ready("llama");
    }

    @Test
    void a_model_larger_than_the_quota_can_be_mounted_and_says_that_it_does_not_fit() {
        cluster.runtime("tiers: [ { quota: 50Gi } ]");
        cluster.dataset("llama", "");
        assertThat(cluster.expect("llama", "SpaceAvailable", "False", "NoRoom").getMessage())
                .contains("100Gi", "50Gi", "quota");
        ready("llama");
        assertThat(cluster.dataset("llama").getStatus().status()).isEqualTo("NoRoom");
    }

    @Test
    void a_model_larger_than_the_disk_says_so_whatever_the_quota() {
        daemon.roomBytes = 20 * FakeDaemon.GIB;
        cluster.runtime("tiers: [ { quota: 500Gi } ]");
        cluster.dataset("llama", "");
        await().atMost(TestCluster.LONG)
                .untilAsserted(() -> assertThat(cluster.expect("llama", "SpaceAvailable", "False", "NoRoom")
                                .getMessage())
                        .contains("100Gi", "20Gi", "larger disk"));
        ready("llama");
    }

    @Test
    void a_claim_of_somebody_else_is_left_alone_and_named() {
        cluster.runtime("");
        cluster.apply("""
                apiVersion: v1
                kind: PersistentVolumeClaim
                metadata: { name: llama, namespace: %s }
                spec:
                  accessModes: [ReadWriteOnce]
                  resources: { requests: { storage: 1Gi } }
                """.formatted(cluster.namespace));
        cluster.dataset("llama", "");
        assertThat(cluster.expect("llama", "Ready", "False", "ClaimTaken").getMessage())
                .contains(cluster.namespace + "/llama", "Delete it");
        assertThat(claim("llama").getMetadata().getOwnerReferences()).isEmpty();
    }

    @Test
    void no_daemon_is_said_and_a_daemon_that_comes_is_noticed() throws Exception {
        cluster.client
                .pods()
                .inNamespace(cluster.system)
                .withName("daemon-node-1")
                .withGracePeriod(0)
                .delete();
        cluster.runtime("");
        cluster.dataset("llama", "");
        cluster.expect("llama", "Ready", "False", "NodesNotReady");
        cluster.node("node-2");
        ready("llama");
    }

    @Test
    void deletion_waits_for_pods_that_mount_it_and_names_them() {
        cluster.runtime("");
        cluster.dataset("llama", "retain: Delete");
        ready("llama");
        String volume = volume("llama").getMetadata().getName();
        cluster.pod("engine-0", "llama");
        await().atMost(TestCluster.LONG)
                .until(() -> cluster.dataset("llama").getStatus().mountedBy() != null);
        cluster.client.resource(cluster.dataset("llama")).delete();
        assertThat(cluster.expect("llama", "Ready", "False", "InUse").getMessage())
                .contains(cluster.namespace + "/engine-0");
        assertThat(claim("llama").getMetadata().getDeletionTimestamp()).isNull();
        cluster.client
                .pods()
                .inNamespace(cluster.namespace)
                .withName("engine-0")
                .withGracePeriod(0)
                .delete();
        await().atMost(TestCluster.LONG).until(() -> cluster.dataset("llama") == null);
        assertThat(claim("llama")).isNull();
        assertThat(cluster.client.persistentVolumes().withName(volume).get()).isNull();
        assertThat(daemon.snapshots()).as("bytes are removed").isEmpty();
    }

    @Test
    void bytes_that_arrive_are_shown_and_prefetched_becomes_true() {
        cluster.runtime("");
        cluster.dataset("llama", "");
        ready("llama");
        cluster.expect("llama", "Prefetched", "False", "NotStarted");
        String digest = cluster.dataset("llama").getStatus().snapshot().digest();
        var held = daemon.snapshots().get(digest);
        daemon.hold(held.toBuilder()
                .setHereBytes(held.getBytes() / 4)
                .setMounted(true)
                .build());
        cluster.expect("llama", "Prefetched", "False", "InProgress");
        assertThat(cluster.dataset("llama").getStatus().cached().size()).isEqualTo("25Gi (25%)");
        daemon.hold(
                held.toBuilder().setHereBytes(held.getBytes()).setMounted(true).build());
        cluster.expect("llama", "Prefetched", "True", "Complete");
        assertThat(cluster.dataset("llama").getStatus().cached().nodes()).isEqualTo("1/1");
    }

    @Test
    void a_manual_dataset_takes_a_new_snapshot_when_told_and_nobody_mounts_the_old_one() {
        cluster.runtime("");
        cluster.dataset("llama", "update: { policy: Manual }");
        ready("llama");
        daemon.origin(source -> FakeDaemon.snapshot(source.getLocation(), "41aa", 50 * FakeDaemon.GIB, 0));
        cluster.pod("engine-0", "llama");
        await().atMost(TestCluster.LONG)
                .until(() -> cluster.dataset("llama").getStatus().mountedBy() != null);
        cluster.client.resource(cluster.dataset("llama")).edit(d -> {
            d.getMetadata().setAnnotations(Map.of("cache.penstock.io/refresh", "1"));
            return d;
        });
        assertThat(cluster.expect("llama", "SnapshotCurrent", "False", "InUse").getMessage())
                .contains("engine-0", "41aa41");
        assertThat(cluster.dataset("llama").getStatus().snapshot().name()).isEqualTo("9f319f");
        cluster.client
                .pods()
                .inNamespace(cluster.namespace)
                .withName("engine-0")
                .withGracePeriod(0)
                .delete();
        await().atMost(TestCluster.LONG)
                .until(() ->
                        cluster.dataset("llama").getStatus().snapshot().name().equals("41aa41"));
        ready("llama");
        await().atMost(TestCluster.LONG)
                .until(() -> volume("llama") != null
                        && volume("llama")
                                .getSpec()
                                .getCsi()
                                .getVolumeAttributes()
                                .get("snapshot")
                                .startsWith("sha256:41aa"));
    }

    @Test
    void a_reference_needs_its_owners_consent_and_uses_the_owners_secret() {
        cluster.runtime("");
        cluster.dataset("llama", "");
        ready("llama");
        cluster.dataset("other", "dataset://elsewhere/llama", "");
        assertThat(cluster.expect("other", "Ready", "False", "NotShared").getMessage())
                .contains("elsewhere/llama", "sharedWith");
        cluster.dataset("mine", "dataset://" + cluster.namespace + "/llama", "");
        ready("mine");
        assertThat(volume("mine").getSpec().getCsi().getVolumeAttributes())
                .containsEntry("source", "s3://models/llama");
        cluster.pod("engine-0", "mine");
        await().atMost(TestCluster.LONG)
                .until(() -> cluster.dataset("mine").getStatus().mountedBy() != null);
        cluster.client.resource(cluster.dataset("llama")).delete();
        assertThat(cluster.expect("llama", "Ready", "False", "InUse").getMessage())
                .contains("engine-0");
    }
}
