package io.penstock.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.deploy.Manifests;
import io.penstock.deploy.e2e.Program.Said;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The chart, installed by helm. */
final class Release {
    /** What the chart leaves behind on purpose. */
    static final List<String> KINDS =
            List.of("cacheruntimes.cache.penstock.io", "dataloads.cache.penstock.io", "datasets.cache.penstock.io");

    /** Of the nodes that cache. */
    static final String LABEL = Suite.LABEL;

    private static final String NAME = "penstock";
    private static final List<String> OF_THE_CLUSTER = List.of(
            "persistentvolumes",
            "clusterroles",
            "clusterrolebindings",
            "priorityclasses",
            "csidrivers",
            "mutatingwebhookconfigurations",
            "validatingwebhookconfigurations",
            "namespaces");
    private static final String OF_ITS_NAMESPACE =
            "all,secrets,configmaps,leases,networkpolicies,poddisruptionbudgets,serviceaccounts,roles,rolebindings,"
                    + "persistentvolumeclaims,endpointslices";

    private final Path helm;

    Release(Path helm) {
        this.helm = helm;
    }

    /** Nodes with {@link #LABEL} get the node plugin. */
    void install() {
        int colon = Settings.IMAGE.lastIndexOf(':');
        String ignored = helm(
                        "install",
                        NAME,
                        Manifests.CHART.toString(),
                        "--namespace",
                        Manifests.NAMESPACE,
                        "--create-namespace",
                        "--set",
                        "image.repository=" + Settings.IMAGE.substring(0, colon),
                        "--set-string",
                        "image.tag=" + Settings.IMAGE.substring(colon + 1),
                        "--set",
                        "startupTaint=true",
                        "--set-string",
                        "csi.nodeSelector." + LABEL + "=cache",
                        "--set-string",
                        "cache.nodeSelector." + LABEL + "=cache",
                        "--wait",
                        "--timeout",
                        Settings.patience(100).toSeconds() + "s")
                .orFail();
    }

    Said uninstall() {
        return helm("uninstall", NAME, "--namespace", Manifests.NAMESPACE, "--wait", "--timeout", "180s");
    }

    private Said helm(String... words) {
        return Program.run(
                Stream.concat(Stream.of(helm.toString()), Stream.of(words)).toArray(String[]::new));
    }

    /** Objects in the cluster that an uninstall should have removed; the namespace belongs to who made it. */
    static List<String> left() {
        Kubectl kubectl = new Kubectl(Manifests.NAMESPACE);
        List<String> left = new ArrayList<>();
        for (String kind : OF_THE_CLUSTER) {
            kubectl.say("get " + kind + " --output=name")
                    .lines()
                    .filter(name -> name.contains(NAME))
                    .filter(name -> !name.startsWith("namespace/"))
                    .forEach(left::add);
        }
        kubectl.say("get " + OF_ITS_NAMESPACE + " --output=name --ignore-not-found")
                .lines()
                .filter(name -> name.contains("/"))
                .filter(name -> !name.equals("configmap/kube-root-ca.crt") && !name.equals("serviceaccount/default"))
                .forEach(left::add);
        return left;
    }

    /** Definitions that stay until somebody deletes them. */
    static void removeKinds() {
        Kubectl kubectl = new Kubectl(Manifests.NAMESPACE);
        assertThat(kubectl.say("get customresourcedefinitions --output=name").lines())
                .filteredOn(name -> name.contains(NAME))
                .extracting(name -> name.substring(name.indexOf('/') + 1))
                .containsExactlyElementsOf(KINDS);
        String ignored = kubectl.say("delete -f " + Manifests.CHART.resolve("crds"));
    }
}
