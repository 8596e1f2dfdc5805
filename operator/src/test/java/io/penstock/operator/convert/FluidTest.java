package io.penstock.operator.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.FieldValidateable;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.operator.ApiServer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FluidTest {
    private static String sample(String name) throws IOException {
        try (InputStream in = FluidTest.class.getResourceAsStream("/fluid/" + name + ".yaml")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static Fluid.Converted convert(String name) throws Exception {
        return Fluid.convert(sample(name));
    }

    private static List<String> fields(Fluid.Converted converted) {
        return converted.gaps().stream().map(g -> g.object() + " " + g.field()).toList();
    }

    @ParameterizedTest
    @CsvSource({
        "accelerate, 2",
        "dataload, 3",
        "co-locality, 2",
        "knative, 3",
        "dawnbench, 1",
        "ufsvolume, 1",
        "minio, 2",
    })
    void whatComesOutIsTakenByTheApiServer(String sample, int objects) throws Exception {
        Fluid.Converted converted = convert(sample);
        assertThat(converted.objects()).hasSize(objects);
        try (KubernetesClient client = ApiServer.get().client()) {
            var ignored = client.resource(new NamespaceBuilder()
                            .withNewMetadata()
                            .withName("fluid")
                            .endMetadata()
                            .build())
                    .serverSideApply();
            var ours = client.load(new ByteArrayInputStream(converted.yaml().getBytes(StandardCharsets.UTF_8)))
                    .inNamespace("fluid");
            assertThat(ours.fieldValidation(FieldValidateable.Validation.STRICT).create())
                    .hasSize(objects);
            var gone = ours.delete();
            assertThat(gone).hasSize(objects);
        }
    }

    @Test
    void credentialsAndEndpointGetTheirNames() throws Exception {
        Fluid.Converted converted = convert("minio");
        JsonNode mount = converted.objects().getFirst().at("/spec/mounts/0");
        assertThat(mount.at("/options/endpoint").asText()).isEqualTo("http://minio.example:9000");
        assertThat(mount.at("/options/path-style").asText()).isEqualTo("on");
        assertThat(converted.yaml()).contains("path-style: \"on\"\n");
        assertThat(mount.at("/encryptOptions/0/name").asText()).isEqualTo("access-key-id");
        assertThat(mount.at("/encryptOptions/1/valueFrom/secretKeyRef/key").asText())
                .isEqualTo("aws.secretKey");
        JsonNode runtime = converted.objects().getLast();
        assertThat(runtime.at("/spec/tiers/0/quota").asText()).isEqualTo("38147Mi");
        assertThat(runtime.at("/spec/tiers/0/path").isMissingNode()).isTrue();
        assertThat(runtime.at("/spec/tiers/0/high").asInt()).isEqualTo(99);
        assertThat(runtime.at("/spec/nodes/nodeSelector/pool").asText()).isEqualTo("gpu");
        assertThat(runtime.at("/metadata/namespace").isMissingNode()).isTrue();
        assertThat(fields(converted))
                .containsExactlyInAnyOrder(
                        "Dataset/spark spec.mounts[0].options.alluxio.underfs.s3.inherit.acl",
                        "JindoRuntime/spark spec.replicas",
                        "JindoRuntime/spark spec.tieredstore.levels[0].path");
        assertThat(converted.others()).containsExactly("Secret/mysecret");
    }

    @Test
    void pathsOfALoadAreThoseOfTheSource() throws Exception {
        JsonNode load = convert("dataload").objects().getLast();
        assertThat(load.at("/spec/target"))
                .extracting(t -> t.get("path").asText())
                .containsExactly("spark-2.4.7", "spark-2.4.7/**", "spark-3.0.1/pyspark-3.0.1.tar.gz");
        assertThat(load.at("/spec/replicas").asInt()).isEqualTo(2);
        assertThat(fields(convert("dataload")))
                .contains(
                        "DataLoad/spark-dataload spec.loadMetadata", "DataLoad/spark-dataload spec.target[1].replicas");
    }

    @Test
    void aSourceThatWeCannotReadIsSaidAndSecretsAreNotCopied() throws Exception {
        Fluid.Converted converted = convert("dawnbench");
        assertThat(fields(converted)).contains("Dataset/imagenet spec.mounts[0].mountPoint");
        assertThat(converted.gaps().toString()).contains("there is no source for oss yet");
        String secret = """
                apiVersion: data.fluid.io/v1alpha1
                kind: Dataset
                metadata: {name: a}
                spec: {mounts: [{mountPoint: 's3://a', options: {aws.accessKeyId: AKIAPLANTED}}]}
                """;
        assertThat(Fluid.convert(secret).yaml()).doesNotContain("PLANTED");
        assertThat(Fluid.convert(secret).gaps().toString())
                .contains("plain text")
                .doesNotContain("PLANTED");
    }

    @Test
    void severalMountsBecomeSeveralDatasets() throws Exception {
        Fluid.Converted converted = Fluid.convert("""
                apiVersion: data.fluid.io/v1alpha1
                kind: Dataset
                metadata: {name: models, namespace: ml}
                spec: {mounts: [{mountPoint: 's3://a', name: Llama_70B}, {mountPoint: 's3://b', name: qwen}], placement: Exclusive}
                """);
        assertThat(converted.objects())
                .extracting(o -> o.at("/metadata/name").asText())
                .containsExactly("models-llama-70b", "models-qwen");
        assertThat(fields(converted)).contains("Dataset/models spec.placement");
    }

    @Test
    void mountsWithoutANameOrWithTheSameGetNamesOfTheirOwn() throws Exception {
        Fluid.Converted converted = Fluid.convert("""
                apiVersion: data.fluid.io/v1alpha1
                kind: Dataset
                metadata: {name: models}
                spec: {mounts: [{mountPoint: 's3://a'}, {mountPoint: 's3://b'}, {mountPoint: 's3://c', name: q_1},
                  {mountPoint: 's3://d', name: q-1}, {mountPoint: 's3://e', name: models}, {mountPoint: 's3://f', name: -_-}]}
                """);
        assertThat(converted.objects())
                .extracting(o -> o.at("/metadata/name").asText())
                .containsExactly("models-0", "models-1", "models-q-1", "models-q-1-3", "models", "models-5");
        assertThat(converted.gaps().toString()).contains("models-q-1-3: pods mount a claim for each");
    }

    @Test
    void twoObjectsOfOneNameAreSaid() throws Exception {
        Fluid.Converted converted = Fluid.convert("""
                apiVersion: data.fluid.io/v1alpha1
                kind: Dataset
                metadata: {name: a}
                spec: {mounts: [{mountPoint: 's3://a', name: b}, {mountPoint: 's3://a', name: c}]}
                ---
                apiVersion: data.fluid.io/v1alpha1
                kind: Dataset
                metadata: {name: a-b}
                spec: {mounts: [{mountPoint: 's3://c'}]}
                """);
        assertThat(fields(converted)).contains("Dataset/a-b metadata.name");
    }

    @Test
    void whatOnlyTheToolThatAppliedItNeedsIsLeftOut() throws Exception {
        Fluid.Converted converted = Fluid.convert("""
                apiVersion: v1
                kind: List
                items:
                - apiVersion: data.fluid.io/v1alpha1
                  kind: Dataset
                  metadata:
                    name: a
                    uid: 1-2-3
                    managedFields: [{manager: kubectl}]
                    labels: {team: ml, app.kubernetes.io/managed-by: Helm, helm.sh/chart: x}
                    annotations:
                      owner: ada
                      meta.helm.sh/release-name: x
                      kubectl.kubernetes.io/last-applied-configuration: |
                        {"spec":{"mounts":[{"options":{"aws.secretKey":"PLANTED"}}]}}
                  spec: {mounts: [{mountPoint: 's3://a', options: {aws.secretKey: PLANTED}}]}
                  status: {phase: Bound}
                - apiVersion: data.fluid.io/v1alpha1
                  kind: AlluxioRuntime
                  metadata: {name: a, annotations: {kubectl.kubernetes.io/last-applied-configuration: PLANTED}}
                  spec: {}
                - {apiVersion: v1, kind: Secret, metadata: {name: s}}
                """);
        assertThat(converted.objects())
                .extracting(o -> o.get("kind").asText())
                .containsExactly("Dataset", "CacheRuntime");
        assertThat(converted.objects().getFirst().get("metadata").toString())
                .isEqualTo("{\"name\":\"a\",\"labels\":{\"team\":\"ml\"},\"annotations\":{\"owner\":\"ada\"}}");
        assertThat(converted.yaml() + converted.gaps())
                .doesNotContain("PLANTED")
                .doesNotContain("managedFields");
        assertThat(converted.objects().getLast().at("/metadata/annotations").isMissingNode())
                .isTrue();
        assertThat(converted.others()).containsExactly("Secret/s");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            quota: lots   | spec.tieredstore.levels[0].quota: lots
            quota: -1Gi   | spec.tieredstore.levels[0].quota: -1Gi
            quota: 0      | spec.tieredstore.levels[0].quota: 0
            high: most    | spec.tieredstore.levels[0].high: most
            high: 95      | spec.tieredstore.levels[0].high: 95
            low: -0.1     | spec.tieredstore.levels[0].low: -0.1
            """)
    void aSizeOrShareThatIsNoneIsAnErrorWithItsField(String field, String message) {
        assertThatThrownBy(() -> Fluid.convert(
                        "apiVersion: data.fluid.io/v1alpha1\nkind: JindoRuntime\nmetadata: {name: r}\nspec: {tieredstore:"
                                + " {levels: [{mediumtype: SSD, path: /a, " + field + "}]}}"))
                .isInstanceOfSatisfying(
                        PenstockException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_VALUE))
                .hasMessageContaining("JindoRuntime/r " + message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            kind: [                     | this is no YAML
            apiVersion: data.fluid.io/v1 | has no kind
            just text                   | has no kind
            """)
    void whatIsNoObjectIsAnError(String yaml, String message) {
        assertThatThrownBy(() -> Fluid.convert(yaml))
                .isInstanceOf(PenstockException.class)
                .hasMessageContaining(message);
    }

    @Test
    void what_contains_itself_is_refused() {
        assertThatThrownBy(() -> Fluid.convert("kind: Dataset\nspec: &a { mounts: [*a] }\n"))
                .isInstanceOf(PenstockException.class)
                .hasMessageContaining("contains itself");
    }
}
