package io.penstock.operator.api;

import com.fasterxml.jackson.annotation.JsonClassDescription;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Version;
import org.jspecify.annotations.Nullable;

/** The caches of a pool of nodes. Belongs to the cluster, as disks of nodes do. */
@JsonClassDescription("The caches of a pool of nodes. It belongs to the cluster, as disks of nodes do.")
@Group(Api.GROUP)
@Version(Api.VERSION)
@ShortNames("crt")
@AdditionalPrinterColumn(name = "NODES", jsonPath = ".status.nodes.text")
@AdditionalPrinterColumn(name = "USED", jsonPath = ".status.storage.text")
@AdditionalPrinterColumn(name = "AVAILABLE", jsonPath = ".status.conditions[?(@.type==\"Available\")].status")
@AdditionalPrinterColumn(name = "STATUS", jsonPath = ".status.status")
@AdditionalPrinterColumn(name = "PATH", jsonPath = ".spec.tiers[0].path", priority = 1)
@AdditionalPrinterColumn(name = "QUOTA", jsonPath = ".spec.tiers[0].quota", priority = 1)
@AdditionalPrinterColumn(name = "MEMORY", jsonPath = ".spec.memory", priority = 1)
@AdditionalPrinterColumn(
        name = "AGE",
        jsonPath = ".metadata.creationTimestamp",
        type = AdditionalPrinterColumn.Type.DATE)
public final class CacheRuntime extends CustomResource<CacheRuntimeSpec, @Nullable CacheRuntimeStatus> {
    @Override
    @JsonInclude(value = JsonInclude.Include.CUSTOM, valueFilter = NoSpec.class)
    public CacheRuntimeSpec getSpec() {
        return super.getSpec();
    }

    @Override
    protected CacheRuntimeSpec initSpec() {
        return CacheRuntimeSpec.NONE;
    }

    @Override
    protected @Nullable CacheRuntimeStatus initStatus() {
        return null;
    }
}
