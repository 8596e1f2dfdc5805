package io.penstock.operator.admission;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.penstock.operator.certificates.Certificates;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Objects;

/** The webhook configurations that the chart has made: they learn here whose certificates to believe. */
public final class Webhooks {
    public static final String NAME = "penstock";

    private final KubernetesClient client;

    public Webhooks(KubernetesClient client) {
        this.client = client;
    }

    /** Writes the authorities into both configurations, where they are not yet. */
    public void believe(Certificates.Material material) {
        String bundle =
                Base64.getEncoder().encodeToString(material.authorities().getBytes(StandardCharsets.US_ASCII));
        var admission = client.admissionRegistration().v1();
        var mutating = admission.mutatingWebhookConfigurations().withName(NAME);
        var pods = mutating.get();
        if (pods != null
                && pods.getWebhooks().stream()
                        .anyMatch(w -> !Objects.equals(w.getClientConfig().getCaBundle(), bundle))) {
            var ignored = mutating.edit(c -> {
                c.getWebhooks().forEach(w -> w.getClientConfig().setCaBundle(bundle));
                return c;
            });
        }
        var validating = admission.validatingWebhookConfigurations().withName(NAME);
        var ours = validating.get();
        if (ours != null
                && ours.getWebhooks().stream()
                        .anyMatch(w -> !Objects.equals(w.getClientConfig().getCaBundle(), bundle))) {
            var ignored = validating.edit(c -> {
                c.getWebhooks().forEach(w -> w.getClientConfig().setCaBundle(bundle));
                return c;
            });
        }
    }
}
