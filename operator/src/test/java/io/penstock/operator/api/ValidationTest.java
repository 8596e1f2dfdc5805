package io.penstock.operator.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.penstock.operator.ApiServer;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the API server itself refuses, and what it says. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ValidationTest {
    private KubernetesClient client;

    @BeforeAll
    void connect() {
        client = ApiServer.get().client();
    }

    @AfterAll
    void leave() {
        if (client != null) {
            client.close();
        }
    }

    @Test
    void whatIsRightIsTaken() {
        create("Dataset", "{mounts: [{mountPoint: 's3://models/llama', options: {region: eu-central-1}}]}");
        create("Dataset", "{mounts: [{mountPoint: 'dataset://ml/llama'}], update: {policy: Follow, interval: 10m}}");
        create("CacheRuntime", "{tiers: [{path: /nvme/penstock, quota: 1Ti, high: 95, low: 80}], memory: 512Mi}");
        create("DataLoad", "{dataset: {name: llama}, policy: Cron, schedule: '0 3 * * *', replicas: 2}");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    Dataset      | {}                                                      | spec.mounts: Required value
                    Dataset      | {mounts: []}                                            | should have at least 1 items
                    Dataset      | {mounts: [{mountPoint: 's3://a'}, {mountPoint: 's3://b'}]} | must have at most 1 item
                    Dataset      | {mounts: [{mountPoint: 'ftp://a'}]}                     | mountPoint must be s3://BUCKET/PREFIX
                    Dataset      | {mounts: [{mountPoint: 's3://key:secret@a'}]}           | mountPoint must be s3://BUCKET/PREFIX
                    Dataset      | {mounts: [{mountPoint: 's3://a', path: /b}]}            | path must be /
                    Dataset      | {mounts: [{mountPoint: 's3://a', readOnly: false}]}     | readOnly must be true
                    Dataset      | {mounts: [{mountPoint: 'dataset://a/b', options: {region: c}}]} | leave them out
                    Dataset      | {mounts: [{mountPoint: 's3://a'}], update: {policy: Never}} | supported values: "Follow", "Manual", "Pinned"
                    Dataset      | {mounts: [{mountPoint: 's3://a'}], update: {interval: soon}} | spec.update.interval
                    Dataset      | {mounts: [{mountPoint: 's3://a'}], accessModes: [ReadWriteMany]} | supported values: "ReadOnlyMany"
                    Dataset      | {mounts: [{mountPoint: 's3://a'}], sharedWith: [A_B]}   | spec.sharedWith[0]
                    Dataset      | {mounts: [{mountPoint: 's3://a'}], prefetsch: {}}       | unknown field "spec.prefetsch"
                    CacheRuntime | {tiers: [{path: nvme}]}                                 | path must be an absolute directory
                    CacheRuntime | {tiers: [{path: /nvme/../etc}]}                         | path must be an absolute directory
                    CacheRuntime | {tiers: [{quota: 100GB}]}                               | spec.tiers[0].quota
                    CacheRuntime | {tiers: [{high: 50, low: 80}]}                          | low must be less than high
                    CacheRuntime | {tiers: [{path: /a}, {path: /b}]}                       | must have at most 1 item
                    DataLoad     | {}                                                      | spec.dataset: Required value
                    DataLoad     | {dataset: {name: a}, policy: Cron}                      | schedule goes with policy: Cron
                    DataLoad     | {dataset: {name: a}, schedule: '0 3 * * *'}             | schedule goes with policy: Cron
                    DataLoad     | {dataset: {name: a}, order: none}                       | order: none would fetch nothing
                    DataLoad     | {dataset: {name: a}, replicas: -1}                      | spec.replicas
                    """)
    void whatIsWrongIsRefusedInWords(String kind, String spec, String message) {
        assertThatThrownBy(() -> create(kind, spec))
                .isInstanceOf(KubernetesClientException.class)
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Dataset", "DataLoad"})
    void whatNeedsASpecIsNotTakenWithout(String kind) {
        assertThatThrownBy(() -> create(kind, "null")).hasMessageContaining("spec: Required value");
    }

    @Test
    void aRuntimeWithoutASpecIsAsByDefault() {
        assertThat(create("CacheRuntime", "null").getKind()).isEqualTo("CacheRuntime");
    }

    @Test
    void aLoadKeepsItsDataset() {
        GenericKubernetesResource load = create("DataLoad", "{dataset: {name: llama}}");
        assertThatThrownBy(
                        () -> client.load(stream("DataLoad", load.getMetadata().getName(), "{dataset: {name: other}}"))
                                .inNamespace("default")
                                .update())
                .hasMessageContaining("dataset cannot be changed");
    }

    @Test
    void defaultsAreWritten() {
        GenericKubernetesResource dataset = create("Dataset", "{mounts: [{mountPoint: 's3://a'}], runtimeRef: {}}");
        assertThat(dataset.<Object>get("spec", "runtimeRef", "name")).isEqualTo("default");
        assertThat(dataset.<Object>get("spec", "retain")).isEqualTo("Retain");
    }

    private GenericKubernetesResource create(String kind, String spec) {
        String name = "v" + System.nanoTime();
        var created = client.load(stream(kind, name, spec))
                .inNamespace("default")
                .fieldValidation(io.fabric8.kubernetes.client.dsl.FieldValidateable.Validation.STRICT);
        return (GenericKubernetesResource) created.create().getFirst();
    }

    private static ByteArrayInputStream stream(String kind, String name, String spec) {
        return new ByteArrayInputStream(("apiVersion: cache.penstock.io/v1alpha1\nkind: " + kind + "\nmetadata: {name: "
                        + name + "}\n" + (spec.equals("null") ? "" : "spec: " + spec))
                .getBytes(StandardCharsets.UTF_8));
    }
}
