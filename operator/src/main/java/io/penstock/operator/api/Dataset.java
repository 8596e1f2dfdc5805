package io.penstock.operator.api;

import com.fasterxml.jackson.annotation.JsonClassDescription;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Version;
import org.jspecify.annotations.Nullable;

/** A model at an origin, which pods mount by a claim of the same name. */
@JsonClassDescription("A model at an origin, which pods mount by a claim of the same name.")
@Group(Api.GROUP)
@Version(Api.VERSION)
@ShortNames("dset")
@AdditionalPrinterColumn(name = "SNAPSHOT", jsonPath = ".status.snapshot.name")
@AdditionalPrinterColumn(name = "SIZE", jsonPath = ".status.snapshot.size")
@AdditionalPrinterColumn(name = "CACHED", jsonPath = ".status.cached.size")
@AdditionalPrinterColumn(name = "NODES", jsonPath = ".status.cached.nodes")
@AdditionalPrinterColumn(name = "READY", jsonPath = ".status.conditions[?(@.type==\"Ready\")].status")
@AdditionalPrinterColumn(name = "STATUS", jsonPath = ".status.status")
@AdditionalPrinterColumn(name = "SOURCE", jsonPath = ".spec.mounts[0].mountPoint", priority = 1)
@AdditionalPrinterColumn(name = "RATE", jsonPath = ".status.cached.rate", priority = 1)
@AdditionalPrinterColumn(name = "ETA", jsonPath = ".status.cached.eta", priority = 1)
@AdditionalPrinterColumn(name = "RUNTIME", jsonPath = ".spec.runtimeRef.name", priority = 1)
@AdditionalPrinterColumn(
        name = "AGE",
        jsonPath = ".metadata.creationTimestamp",
        type = AdditionalPrinterColumn.Type.DATE)
public final class Dataset extends CustomResource<DatasetSpec, @Nullable DatasetStatus> implements Namespaced {
    @Override
    @JsonInclude(value = JsonInclude.Include.CUSTOM, valueFilter = NoSpec.class)
    public DatasetSpec getSpec() {
        return super.getSpec();
    }

    @Override
    protected DatasetSpec initSpec() {
        return DatasetSpec.NONE;
    }

    @Override
    protected @Nullable DatasetStatus initStatus() {
        return null;
    }
}
