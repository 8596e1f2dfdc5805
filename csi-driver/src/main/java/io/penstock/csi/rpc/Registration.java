package io.penstock.csi.rpc;

import io.grpc.stub.StreamObserver;
import io.penstock.csi.registration.v1.InfoRequest;
import io.penstock.csi.registration.v1.PluginInfo;
import io.penstock.csi.registration.v1.RegistrationGrpc;
import io.penstock.csi.registration.v1.RegistrationStatus;
import io.penstock.csi.registration.v1.RegistrationStatusResponse;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the kubelet's plugin watcher asks at the socket that it finds in its directory. */
public final class Registration extends RegistrationGrpc.RegistrationImplBase {
    private static final Logger LOG = LoggerFactory.getLogger(Registration.class);
    private static final String TYPE = "CSIPlugin";
    /** Of the API between kubelet and CSI drivers, not of CSI. */
    private static final String VERSION = "1.0.0";

    private final String name;
    private final Path endpoint;

    public Registration(String name, Path endpoint) {
        this.name = name;
        this.endpoint = endpoint;
    }

    @Override
    public void getInfo(InfoRequest request, StreamObserver<PluginInfo> out) {
        out.onNext(PluginInfo.newBuilder()
                .setType(TYPE)
                .setName(name)
                .setEndpoint(endpoint.toString())
                .addSupportedVersions(VERSION)
                .build());
        out.onCompleted();
    }

    @Override
    public void notifyRegistrationStatus(RegistrationStatus request, StreamObserver<RegistrationStatusResponse> out) {
        if (request.getPluginRegistered()) {
            LOG.info("the kubelet has registered {}", name);
        } else {
            LOG.error("the kubelet does not register {}: {}", name, request.getError());
        }
        out.onNext(RegistrationStatusResponse.getDefaultInstance());
        out.onCompleted();
    }
}
