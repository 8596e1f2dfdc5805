package io.penstock.operator.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.FieldValidateable.Validation;
import io.penstock.operator.ApiServer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What examples and manifests say is accepted by an API server, field by field. */
class ExamplesTest {
    private static final Path DEPLOY = Path.of("..", "deploy");

    @Test
    void every_object_of_the_examples_is_accepted() throws IOException {
        assertThat(accepted(DEPLOY.resolve("examples"))).contains("Dataset", "DataLoad", "Pod", "PersistentVolume");
    }

    @Test
    void every_object_of_the_manifests_is_accepted() throws IOException {
        try (KubernetesClient client = ApiServer.get().client()) {
            var ignored = client.resource(new NamespaceBuilder()
                            .withNewMetadata()
                            .withName("penstock-system")
                            .endMetadata()
                            .build())
                    .serverSideApply();
        }
        assertThat(accepted(DEPLOY.resolve("manifests"))).contains("CacheRuntime", "Deployment", "ClusterRole");
    }

    /** Kinds of the objects in the files of a directory; fails when the API server refuses one, or a field of it. */
    private static List<String> accepted(Path directory) throws IOException {
        List<String> kinds = new ArrayList<>();
        try (KubernetesClient client = ApiServer.get().client();
                Stream<Path> files = Files.list(directory)) {
            for (Path file :
                    files.filter(f -> f.toString().endsWith(".yaml")).sorted().toList()) {
                try (InputStream in = Files.newInputStream(file)) {
                    for (HasMetadata object : client.load(in).items()) {
                        var ignored = client.resource(object)
                                .dryRun()
                                .fieldValidation(Validation.STRICT)
                                .forceConflicts()
                                .serverSideApply();
                        kinds.add(object.getKind());
                    }
                }
            }
        }
        return kinds;
    }
}
