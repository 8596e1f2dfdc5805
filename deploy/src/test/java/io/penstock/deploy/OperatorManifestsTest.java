package io.penstock.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.LabelSelectorRequirement;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.kubernetes.api.model.rbac.ClusterRole;
import io.fabric8.kubernetes.api.model.rbac.ClusterRoleBinding;
import io.fabric8.kubernetes.api.model.rbac.PolicyRule;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import io.fabric8.kubernetes.api.model.rbac.Subject;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the operator may do in the cluster, and that nothing waits for it, read from the manifests that install it. */
class OperatorManifestsTest {
    private static final Path FILE = Manifests.DIRECTORY.resolve("penstock.yaml");
    private static final List<HasMetadata> ALL = Manifests.objects(FILE);
    private static final Set<String> READING = Set.of("get", "list", "watch");

    @Test
    void the_node_plugin_is_the_same_with_the_operator_but_for_the_daemons() {
        DaemonSet csi = Manifests.of(DaemonSet.class, ALL).getFirst();
        assertThat(Manifests.of(DaemonSet.class, ALL)).hasSize(1);
        assertThat(csi).isEqualTo(Manifests.daemonSet("penstock-csi"));
    }

    @Test
    void rights_are_of_the_operator_alone() {
        List<Subject> subjects = Stream.concat(
                        Manifests.of(ClusterRoleBinding.class, ALL).stream().flatMap(b -> b.getSubjects().stream()),
                        Manifests.of(RoleBinding.class, ALL).stream().flatMap(b -> b.getSubjects().stream()))
                .toList();
        assertThat(subjects)
                .isNotEmpty()
                .allSatisfy(subject -> assertThat(subject.getName()).isEqualTo("penstock-operator"));
    }

    @Test
    void no_rule_has_a_wildcard() {
        assertThat(rules()).hasSizeGreaterThan(10).allSatisfy(rule -> {
            assertThat(rule.getVerbs()).isNotEmpty().doesNotContain("*", "escalate", "bind", "impersonate");
            assertThat(rule.getResources()).isNotEmpty().doesNotContain("*").noneMatch(r -> r.startsWith("*/"));
            assertThat(rule.getApiGroups()).isNotEmpty().doesNotContain("*");
            assertThat(rule.getNonResourceURLs()).isEmpty();
        });
    }

    @Test
    void what_the_operator_could_harm_with_is_out_of_its_reach() {
        assertThat(verbs("nodes")).isSubsetOf(READING);
        assertThat(verbs("pods")).isSubsetOf(READING);
        assertThat(verbs("secrets")).doesNotContain("list", "watch");
        assertThat(rules())
                .flatExtracting(PolicyRule::getResources)
                .doesNotContain(
                        "pods/exec", "pods/attach", "nodes/proxy", "serviceaccounts/token", "roles", "clusterroles");
        assertThat(rules())
                .filteredOn(rule -> rule.getResources().stream().anyMatch(r -> r.endsWith("webhookconfigurations")))
                .hasSize(1)
                .allSatisfy(rule -> {
                    assertThat(rule.getResourceNames()).containsExactly("penstock");
                    assertThat(rule.getVerbs()).containsExactly("get", "update", "patch");
                });
    }

    private static Set<String> verbs(String resource) {
        return rules().stream()
                .filter(rule -> rule.getResources().contains(resource))
                .flatMap(rule -> rule.getVerbs().stream())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Of the operator; what the chart adds to the roles of people is not its. */
    private static List<PolicyRule> rules() {
        return Stream.concat(
                        Manifests.of(ClusterRole.class, ALL).stream()
                                .filter(role -> role.getMetadata().getName().startsWith("penstock-operator"))
                                .flatMap(role -> role.getRules().stream()),
                        Manifests.of(Role.class, ALL).stream().flatMap(role -> role.getRules().stream()))
                .toList();
    }

    @Test
    void every_rule_of_a_cluster_role_has_a_reason() throws IOException {
        List<String> lines = Files.readAllLines(Manifests.CHART.resolve("templates/rbac.yaml"));
        int end = lines.indexOf("kind: ClusterRoleBinding");
        int seen = 0;
        for (int i = 0; i < end; i++) {
            if (lines.get(i).strip().startsWith("- apiGroups:")) {
                seen++;
                int rule = i;
                boolean same = lines.subList(Math.max(0, i - 3), i).stream().anyMatch(l -> l.contains("verbs:"));
                assertThat(same || lines.get(i - 1).strip().startsWith("#"))
                        .as("a comment before line %d of rbac.yaml", rule + 1)
                        .isTrue();
            }
        }
        assertThat(seen).isGreaterThan(15);
    }

    @Test
    void webhooks_never_stop_anybody() {
        var mutating = Manifests.of(MutatingWebhookConfiguration.class, ALL).getFirst();
        var validating = Manifests.of(ValidatingWebhookConfiguration.class, ALL).getFirst();
        assertThat(mutating.getWebhooks()).hasSize(1).allSatisfy(webhook -> {
            assertThat(webhook.getFailurePolicy()).isEqualTo("Ignore");
            assertThat(webhook.getTimeoutSeconds()).isLessThanOrEqualTo(5);
            assertThat(webhook.getSideEffects()).isEqualTo("None");
            assertThat(webhook.getNamespaceSelector().getMatchExpressions())
                    .filteredOn(e -> e.getOperator().equals("NotIn"))
                    .flatExtracting(LabelSelectorRequirement::getValues)
                    .contains(Manifests.NAMESPACE, "kube-system");
            assertThat(webhook.getMatchConditions()).hasSize(1);
        });
        assertThat(validating.getWebhooks()).hasSize(1).allSatisfy(webhook -> {
            assertThat(webhook.getFailurePolicy()).isEqualTo("Ignore");
            assertThat(webhook.getTimeoutSeconds()).isLessThanOrEqualTo(5);
            assertThat(webhook.getRules())
                    .allSatisfy(rule -> assertThat(rule.getApiGroups()).containsExactly("cache.penstock.io"));
        });
        Service service = Manifests.of(Service.class, ALL).getFirst();
        assertThat(mutating.getWebhooks()
                        .getFirst()
                        .getClientConfig()
                        .getService()
                        .getName())
                .isEqualTo(service.getMetadata().getName());
    }

    @Test
    void the_operator_is_a_plain_user_without_capabilities() {
        PodSpec pod = deployment().getSpec().getTemplate().getSpec();
        plain(pod);
        assertThat(pod.getVolumes()).noneMatch(v -> v.getHostPath() != null);
        assertThat(pod.getHostNetwork()).isNull();
        assertThat(pod.getEnableServiceLinks()).isFalse();
    }

    @Test
    void the_daemons_get_one_secret_and_no_token() {
        PodSpec pod = daemon().getSpec().getTemplate().getSpec();
        plain(pod);
        assertThat(pod.getServiceAccountName()).isEqualTo("penstock-node");
        assertThat(pod.getAutomountServiceAccountToken()).isFalse();
        assertThat(pod.getVolumes())
                .filteredOn(v -> v.getSecret() != null)
                .extracting(v -> v.getSecret().getSecretName())
                .containsExactly("penstock-daemon-tls");
        assertThat(pod.getVolumes())
                .filteredOn(v -> v.getHostPath() != null)
                .extracting(v -> v.getHostPath().getPath())
                .containsExactlyInAnyOrder("/run/penstock", "/var/lib/penstock");
    }

    private static void plain(PodSpec pod) {
        assertThat(pod.getSecurityContext().getRunAsNonRoot()).isTrue();
        assertThat(pod.getSecurityContext().getRunAsUser()).isPositive();
        assertThat(pod.getSecurityContext().getSeccompProfile().getType()).isEqualTo("RuntimeDefault");
        assertThat(Manifests.containers(pod)).hasSize(1).allSatisfy(container -> {
            assertThat(container.getSecurityContext().getPrivileged()).isNull();
            assertThat(container.getSecurityContext().getReadOnlyRootFilesystem())
                    .isTrue();
            assertThat(container.getSecurityContext().getAllowPrivilegeEscalation())
                    .isFalse();
            assertThat(container.getSecurityContext().getCapabilities().getDrop())
                    .containsExactly("ALL");
            assertThat(container.getResources().getRequests()).containsKeys("cpu", "memory");
            assertThat(container.getResources().getLimits()).containsOnlyKeys("memory");
        });
    }

    @Test
    void one_of_two_may_go_at_a_time() {
        assertThat(deployment().getSpec().getReplicas()).isEqualTo(2);
        assertThat(Manifests.of(PodDisruptionBudget.class, ALL)).hasSize(1).allSatisfy(budget -> {
            assertThat(budget.getSpec().getMaxUnavailable().getIntVal()).isEqualTo(1);
            assertThat(budget.getSpec().getSelector().getMatchLabels())
                    .isEqualTo(deployment().getSpec().getSelector().getMatchLabels());
        });
    }

    @Test
    void only_the_operator_reaches_the_control_port() {
        assertThat(Manifests.of(NetworkPolicy.class, ALL))
                .filteredOn(p -> p.getMetadata().getName().equals("penstock-daemon"))
                .hasSize(1)
                .allSatisfy(policy -> assertThat(policy.getSpec().getIngress())
                        .filteredOn(rule -> rule.getPorts().stream()
                                .anyMatch(port -> port.getPort().getIntVal() == 9810))
                        .hasSize(1)
                        .allSatisfy(rule -> assertThat(rule.getFrom())
                                .hasSize(1)
                                .allSatisfy(
                                        from -> assertThat(from.getPodSelector().getMatchLabels())
                                                .containsEntry("app.kubernetes.io/component", "operator"))));
    }

    @Test
    void there_is_one_image() throws IOException {
        Set<String> images = Stream.of(
                        deployment().getSpec().getTemplate().getSpec(),
                        daemon().getSpec().getTemplate().getSpec(),
                        Manifests.of(DaemonSet.class, ALL)
                                .getFirst()
                                .getSpec()
                                .getTemplate()
                                .getSpec())
                .flatMap(Manifests::containers)
                .map(Container::getImage)
                .collect(Collectors.toSet());
        assertThat(images).containsExactlyElementsOf(Files.readAllLines(Manifests.CHART.resolve("images.txt")));
    }

    private static Deployment deployment() {
        return Manifests.of(Deployment.class, ALL).getFirst();
    }

    /** What the operator makes daemons of. */
    private static DaemonSet daemon() {
        ConfigMap map = Manifests.of(ConfigMap.class, ALL).getFirst();
        return Serialization.unmarshal(map.getData().get("daemon.yaml"), DaemonSet.class);
    }
}
