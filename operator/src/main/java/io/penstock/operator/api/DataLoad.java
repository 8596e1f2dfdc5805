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

/** Fetches a Dataset, or parts of it, to nodes. */
@JsonClassDescription("Fetches a Dataset, or parts of it, to nodes.")
@Group(Api.GROUP)
@Version(Api.VERSION)
@ShortNames("dl")
@AdditionalPrinterColumn(name = "DATASET", jsonPath = ".spec.dataset.name")
@AdditionalPrinterColumn(name = "DONE", jsonPath = ".status.progress.size")
@AdditionalPrinterColumn(name = "NODES", jsonPath = ".status.progress.nodes")
@AdditionalPrinterColumn(name = "RATE", jsonPath = ".status.progress.rate")
@AdditionalPrinterColumn(name = "ETA", jsonPath = ".status.progress.eta")
@AdditionalPrinterColumn(name = "STATUS", jsonPath = ".status.status")
@AdditionalPrinterColumn(name = "POLICY", jsonPath = ".spec.policy", priority = 1)
@AdditionalPrinterColumn(name = "STARTED", jsonPath = ".status.started", priority = 1)
@AdditionalPrinterColumn(name = "FINISHED", jsonPath = ".status.finished", priority = 1)
@AdditionalPrinterColumn(
        name = "AGE",
        jsonPath = ".metadata.creationTimestamp",
        type = AdditionalPrinterColumn.Type.DATE)
public final class DataLoad extends CustomResource<DataLoadSpec, @Nullable DataLoadStatus> implements Namespaced {
    @Override
    @JsonInclude(value = JsonInclude.Include.CUSTOM, valueFilter = NoSpec.class)
    public DataLoadSpec getSpec() {
        return super.getSpec();
    }

    @Override
    protected DataLoadSpec initSpec() {
        return DataLoadSpec.NONE;
    }

    @Override
    protected @Nullable DataLoadStatus initStatus() {
        return null;
    }
}
