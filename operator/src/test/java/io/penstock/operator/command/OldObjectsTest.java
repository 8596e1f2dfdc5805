package io.penstock.operator.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.penstock.operator.api.Conditions;
import io.penstock.operator.api.DataLoad;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Helm leaves CRDs as they were: objects without a spec may be there, and they must not stop those that have one. */
class OldObjectsTest {
    private static final List<String> CRDS = List.of("datasets.cache.penstock.io", "dataloads.cache.penstock.io");

    @TempDir
    private Path directory;

    private TestCluster cluster;

    @BeforeEach
    void start() throws Exception {
        cluster = new TestCluster(directory);
        CRDS.forEach(name -> required(name, List.of()));
    }

    @AfterEach
    void stop() {
        if (cluster != null) {
            CRDS.forEach(name -> required(name, List.of("spec")));
            for (String kind : List.of("Dataset", "DataLoad")) {
                await().atMost(TestCluster.LONG).until(() -> !taken(kind, "late"));
            }
            cluster.close();
        }
    }

    private void required(String name, List<String> fields) {
        cluster.client
                .apiextensions()
                .v1()
                .customResourceDefinitions()
                .withName(name)
                .edit(crd -> {
                    schema(crd, fields);
                    return crd;
                });
    }

    private static void schema(CustomResourceDefinition crd, List<String> fields) {
        crd.getSpec().getVersions().getFirst().getSchema().getOpenAPIV3Schema().setRequired(fields);
    }

    private void without(String kind, String name) {
        await().atMost(TestCluster.LONG).until(() -> taken(kind, name));
    }

    private boolean taken(String kind, String name) {
        var object = new GenericKubernetesResource();
        object.setApiVersion("cache.penstock.io/v1alpha1");
        object.setKind(kind);
        object.setMetadata(new ObjectMetaBuilder()
                .withName(name)
                .withNamespace(kind.equals("CacheRuntime") ? null : cluster.namespace)
                .build());
        try {
            var resource = cluster.client.resource(object);
            var _ = name.equals("late") ? resource.dryRun().create() : resource.create();
            return true;
        } catch (KubernetesClientException e) {
            return false;
        }
    }

    @Test
    void an_object_without_a_spec_is_said_to_be_invalid_and_others_go_on() throws Exception {
        without("Dataset", "empty");
        without("DataLoad", "empty");
        without("CacheRuntime", cluster.runtime);
        cluster.node("node-1");
        cluster.startOperator();
        without("Dataset", "later");
        cluster.dataset("llama", "");
        cluster.expect("llama", "Ready", "True", "Ready");
        assertThat(cluster.expect("empty", "Ready", "False", "InvalidSpec").getMessage())
                .contains("spec.mounts");
        cluster.expect("later", "Ready", "False", "InvalidSpec");
        var load = cluster.client
                .resources(DataLoad.class)
                .inNamespace(cluster.namespace)
                .withName("empty");
        await().atMost(TestCluster.LONG)
                .until(() -> load.get().getStatus() != null
                        && Conditions.find(load.get().getStatus().conditions(), "Accepted")
                                .filter(c -> c.getReason().equals("InvalidSpec"))
                                .isPresent());
        for (String name : List.of("empty", "later")) {
            cluster.client.resource(cluster.dataset(name)).delete();
            await().atMost(TestCluster.LONG).until(() -> cluster.dataset(name) == null);
        }
        load.delete();
        await().atMost(TestCluster.LONG).until(() -> load.get() == null);
    }
}
