package io.penstock.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.SecurityContext;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.storage.CSIDriver;
import io.fabric8.kubernetes.api.model.storage.TokenRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the node plugin may do on a node and in the cluster, read from the manifests that install it. */
class ManifestsTest {
    /** What the node plugin is made of; anything else has to be thought about first. */
    private static final Set<String> KINDS =
            Set.of("CSIDriver", "DaemonSet", "Namespace", "NetworkPolicy", "ResourceQuota", "ServiceAccount");

    /** Container, and the directories of the node that it sees. */
    private static final Set<String> HOST_PATHS = Set.of(
            "csi /var/lib/kubelet/pods Bidirectional",
            "csi /var/lib/kubelet/plugins/csi.penstock.io Bidirectional",
            "csi /var/lib/kubelet/plugins_registry -",
            "csi /run/penstock -",
            "csi /var/lib/penstock -",
            "daemon /run/penstock -",
            "daemon /var/lib/penstock -");

    /** Where kubelets keep what they are known by; no container may see any of it. */
    private static final List<Path> OF_THE_KUBELET = Stream.of(
                    "/var/lib/kubelet/pki/kubelet.key",
                    "/var/lib/kubelet/kubeconfig",
                    "/var/lib/kubelet/bootstrap-kubeconfig",
                    "/etc/kubernetes/kubelet.conf",
                    "/etc/srv/kubernetes/pki/kubelet.key")
            .map(Path::of)
            .toList();

    private static final Pattern CREDENTIALS =
            Pattern.compile("/etc/kubernetes|kubelet/pki|kubeconfig|kubelet\\.conf|secrets/kubernetes\\.io|\\.kube\\b");
    private static final long MIB = 1 << 20;

    @Test
    void the_account_of_the_node_has_no_verb_at_all() throws IOException {
        assertThat(Manifests.nodePlugin()).extracting(HasMetadata::getKind).allMatch(KINDS::contains);
        List<HasMetadata> all = new ArrayList<>(Manifests.nodePlugin());
        for (Path example : Manifests.files(Manifests.EXAMPLES)) {
            all.addAll(Manifests.objects(example));
        }
        assertThat(all)
                .extracting(HasMetadata::getKind)
                .noneMatch(kind -> kind.contains("Role"))
                .hasSizeGreaterThan(KINDS.size());
    }

    @Test
    void no_pod_of_the_plugin_gets_a_token_or_variables_of_services() {
        assertThat(Manifests.of(ServiceAccount.class, Manifests.nodePlugin()))
                .hasSize(1)
                .allSatisfy(account -> {
                    assertThat(account.getAutomountServiceAccountToken()).isFalse();
                    assertThat(account.getSecrets()).isEmpty();
                });
        assertThat(sets()).hasSize(2).allSatisfy(set -> {
            PodSpec pod = Manifests.pod(set);
            assertThat(pod.getAutomountServiceAccountToken()).isFalse();
            assertThat(pod.getEnableServiceLinks()).isFalse();
            assertThat(pod.getServiceAccountName()).isEqualTo("penstock-node");
            assertThat(pod.getVolumes()).noneMatch(v -> v.getProjected() != null || v.getSecret() != null);
        });
    }

    @Test
    void kubelets_credentials_are_never_mounted() throws IOException {
        List<Path> mounted = sets().stream()
                .flatMap(set -> Manifests.pod(set).getVolumes().stream())
                .filter(volume -> volume.getHostPath() != null)
                .map(volume -> Path.of(volume.getHostPath().getPath()))
                .toList();
        assertThat(mounted)
                .hasSize(7)
                .allSatisfy(path -> assertThat(OF_THE_KUBELET).noneMatch(file -> file.startsWith(path)));
        assertThat(Files.readString(Manifests.NODE_PLUGIN)).doesNotContainPattern(CREDENTIALS);
        assertThat(CREDENTIALS.matcher("/var/lib/kubelet/pki/kubelet.crt").find())
                .isTrue();
    }

    @Test
    void exactly_one_container_is_privileged() {
        assertThat(Manifests.containers())
                .filteredOn(c -> Boolean.TRUE.equals(c.getSecurityContext().getPrivileged()))
                .extracting(Container::getName)
                .containsExactly("csi");
    }

    @Test
    void every_other_container_is_a_plain_user_without_capabilities() {
        List<String> looked = new ArrayList<>();
        for (DaemonSet set : sets()) {
            PodSpec pod = Manifests.pod(set);
            for (Container container : Manifests.containers(pod).toList()) {
                SecurityContext context = container.getSecurityContext();
                assertThat(context.getReadOnlyRootFilesystem()).isTrue();
                if (Boolean.TRUE.equals(context.getPrivileged())) {
                    continue;
                }
                looked.add(container.getName());
                assertThat(pod.getSecurityContext().getRunAsNonRoot()).isTrue();
                assertThat(pod.getSecurityContext().getRunAsUser()).isPositive();
                assertThat(pod.getSecurityContext().getRunAsGroup()).isPositive();
                assertThat(pod.getSecurityContext().getSeccompProfile().getType())
                        .isEqualTo("RuntimeDefault");
                assertThat(context.getRunAsUser()).isNull();
                assertThat(context.getAllowPrivilegeEscalation()).isFalse();
                assertThat(context.getCapabilities().getDrop()).containsExactly("ALL");
                assertThat(context.getCapabilities().getAdd()).isEmpty();
            }
        }
        assertThat(looked).containsExactly("daemon");
    }

    @Test
    void no_pod_shares_the_nodes_namespaces() {
        assertThat(sets()).hasSize(2).allSatisfy(set -> {
            PodSpec pod = Manifests.pod(set);
            assertThat(pod.getHostNetwork()).isNull();
            assertThat(pod.getHostPID()).isNull();
            assertThat(pod.getHostIPC()).isNull();
            assertThat(pod.getInitContainers()).isEmpty();
            assertThat(Manifests.containers(pod)
                            .flatMap(c -> c.getPorts().stream())
                            .filter(p -> p.getHostPort() != null))
                    .isEmpty();
        });
    }

    @Test
    void the_directories_of_the_node_are_these_and_no_others() {
        Set<String> found = sets().stream()
                .flatMap(set -> Manifests.containers(Manifests.pod(set)).flatMap(c -> hostPaths(Manifests.pod(set), c)))
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(found).containsExactlyInAnyOrderElementsOf(HOST_PATHS);
    }

    private static Stream<String> hostPaths(PodSpec pod, Container container) {
        return container.getVolumeMounts().stream()
                .filter(mount -> volume(pod, mount).getHostPath() != null)
                .map(mount -> {
                    String path = volume(pod, mount).getHostPath().getPath();
                    assertThat(mount.getMountPath())
                            .as("as on the node: the kernel reports these paths")
                            .isEqualTo(path);
                    return container.getName() + " " + path + " "
                            + Optional.ofNullable(mount.getMountPropagation()).orElse("-");
                });
    }

    private static Volume volume(PodSpec pod, VolumeMount mount) {
        return pod.getVolumes().stream()
                .filter(v -> v.getName().equals(mount.getName()))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void ready_and_alive_are_two_questions() {
        assertThat(Manifests.containers()).hasSize(2).allSatisfy(container -> {
            String ready = container.getReadinessProbe().getHttpGet().getPath();
            String alive = container.getLivenessProbe().getHttpGet().getPath();
            assertThat(ready).isEqualTo("/readyz");
            assertThat(alive).isEqualTo("/healthz");
            assertThat(container.getLivenessProbe().getFailureThreshold()
                            * container.getLivenessProbe().getPeriodSeconds())
                    .as("seconds that a container may be silent before it is killed")
                    .isGreaterThanOrEqualTo(60);
        });
    }

    @Test
    void an_update_never_leaves_a_node_without_a_successor() {
        assertThat(sets()).hasSize(2).allSatisfy(set -> {
            var rolling = set.getSpec().getUpdateStrategy().getRollingUpdate();
            assertThat(rolling.getMaxUnavailable()).isEqualTo(new IntOrString(0));
            assertThat(rolling.getMaxSurge()).isNotEqualTo(new IntOrString(0));
            assertThat(Manifests.pod(set).getTerminationGracePeriodSeconds())
                    .as("the processes take up to 25 s to hand over")
                    .isGreaterThanOrEqualTo(30);
            assertThat(Manifests.pod(set).getTolerations())
                    .anyMatch(t -> t.getKey() == null && t.getOperator().equals("Exists"));
            assertThat(Manifests.pod(set).getPriorityClassName()).isEqualTo("system-node-critical");
        });
    }

    @Test
    void every_container_says_what_it_needs() {
        assertThat(Manifests.containers()).hasSize(2).allSatisfy(container -> {
            assertThat(container.getResources().getRequests()).containsKeys("cpu", "memory");
            assertThat(container.getResources().getLimits()).containsOnlyKeys("memory");
        });
    }

    @Test
    void the_daemons_memory_adds_up() {
        Container daemon = container("penstock-daemon");
        long chunks = mebibytes("PENSTOCK_CACHE_MEMORY", "^(\\d+)MiB$", daemon);
        long direct = mebibytes("PENSTOCK_JAVA_OPTS", "MaxDirectMemorySize=(\\d+)m\\b", daemon);
        long heap = mebibytes("PENSTOCK_JAVA_OPTS", "-Xmx(\\d+)m\\b", daemon);
        Quantity limit = daemon.getResources().getLimits().get("memory");
        assertThat(direct).as("MaxDirectMemorySize").isEqualTo(chunks + 64);
        assertThat(limit.getNumericalAmount().longValueExact() / MIB)
                .as("room for heap, threads, classes and code")
                .isGreaterThanOrEqualTo(direct + heap + 256);
    }

    private static long mebibytes(String variable, String pattern, Container container) {
        Matcher match = Pattern.compile(pattern).matcher(value(container, variable));
        assertThat(match.find()).as(variable).isTrue();
        return Long.parseLong(match.group(1));
    }

    private static String value(Container container, String variable) {
        return container.getEnv().stream()
                .filter(e -> e.getName().equals(variable))
                .map(EnvVar::getValue)
                .findFirst()
                .orElseThrow();
    }

    private static Container container(String set) {
        return Manifests.containers(Manifests.pod(Manifests.daemonSet(set)))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void both_pods_use_the_same_directories_and_the_same_user() {
        Container csi = container("penstock-csi");
        Container daemon = container("penstock-daemon");
        for (String directory : List.of("PENSTOCK_STATE_DIR", "PENSTOCK_CACHE_DIR")) {
            assertThat(value(csi, directory)).isEqualTo(value(daemon, directory));
            assertThat(csi.getVolumeMounts())
                    .extracting(VolumeMount::getMountPath)
                    .contains(value(csi, directory));
        }
        var user = Manifests.pod(Manifests.daemonSet("penstock-daemon")).getSecurityContext();
        assertThat(value(csi, "PENSTOCK_CSI_DAEMON_USER")).isEqualTo(user.getRunAsUser() + ":" + user.getRunAsGroup());
        assertThat(csi.getImage()).isEqualTo(daemon.getImage());
    }

    @Test
    void the_driver_object_asks_for_tokens_with_an_audience_only() {
        CSIDriver driver = Manifests.of(CSIDriver.class, Manifests.nodePlugin()).getFirst();
        assertThat(driver.getMetadata().getName()).isEqualTo(Manifests.DRIVER);
        assertThat(driver.getSpec().getTokenRequests())
                .isNotEmpty()
                .extracting(TokenRequest::getAudience)
                .allMatch(audience -> audience != null && !audience.isEmpty());
        assertThat(driver.getSpec().getAttachRequired()).isFalse();
        assertThat(driver.getSpec().getVolumeLifecycleModes()).containsExactly("Persistent", "Ephemeral");
    }

    @Test
    void no_manifest_starts_a_shell() throws IOException {
        assertThat(Manifests.files(Manifests.DIRECTORY, Manifests.EXAMPLES, Manifests.CHART))
                .hasSizeGreaterThan(5)
                .allSatisfy(file -> assertThat(Files.readString(file).toLowerCase(Locale.ROOT))
                        .doesNotContainPattern("(?<!helm\\.)\\bsh\\b.*-c|/bin/(ba)?sh"));
    }

    private static List<DaemonSet> sets() {
        return Manifests.of(DaemonSet.class, Manifests.nodePlugin());
    }
}
