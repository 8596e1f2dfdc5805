package io.penstock.csi.rpc;

import com.google.protobuf.BoolValue;
import io.grpc.stub.StreamObserver;
import io.penstock.cache.model.Version;
import io.penstock.csi.v1.GetPluginCapabilitiesRequest;
import io.penstock.csi.v1.GetPluginCapabilitiesResponse;
import io.penstock.csi.v1.GetPluginInfoRequest;
import io.penstock.csi.v1.GetPluginInfoResponse;
import io.penstock.csi.v1.IdentityGrpc;
import io.penstock.csi.v1.ProbeRequest;
import io.penstock.csi.v1.ProbeResponse;
import java.util.function.BooleanSupplier;

/** Who the driver is, and whether it is ready. Offers no controller: volumes are made by writing them down. */
public final class IdentityService extends IdentityGrpc.IdentityImplBase {
    private final String name;
    private final BooleanSupplier ready;

    public IdentityService(String name, BooleanSupplier ready) {
        this.name = name;
        this.ready = ready;
    }

    @Override
    public void getPluginInfo(GetPluginInfoRequest request, StreamObserver<GetPluginInfoResponse> out) {
        out.onNext(GetPluginInfoResponse.newBuilder()
                .setName(name)
                .setVendorVersion(Version.current())
                .build());
        out.onCompleted();
    }

    @Override
    public void getPluginCapabilities(
            GetPluginCapabilitiesRequest request, StreamObserver<GetPluginCapabilitiesResponse> out) {
        out.onNext(GetPluginCapabilitiesResponse.getDefaultInstance());
        out.onCompleted();
    }

    @Override
    public void probe(ProbeRequest request, StreamObserver<ProbeResponse> out) {
        out.onNext(ProbeResponse.newBuilder()
                .setReady(BoolValue.of(ready.getAsBoolean()))
                .build());
        out.onCompleted();
    }
}
