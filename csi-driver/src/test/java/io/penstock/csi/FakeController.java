package io.penstock.csi;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.penstock.csi.sanity.Confirmed;
import io.penstock.csi.sanity.ControllerCapability;
import io.penstock.csi.sanity.ControllerGetCapabilitiesRequest;
import io.penstock.csi.sanity.ControllerGetCapabilitiesResponse;
import io.penstock.csi.sanity.ControllerGrpc;
import io.penstock.csi.sanity.CreateVolumeRequest;
import io.penstock.csi.sanity.CreateVolumeResponse;
import io.penstock.csi.sanity.CreatedVolume;
import io.penstock.csi.sanity.DeleteVolumeRequest;
import io.penstock.csi.sanity.DeleteVolumeResponse;
import io.penstock.csi.sanity.ValidateVolumeCapabilitiesRequest;
import io.penstock.csi.sanity.ValidateVolumeCapabilitiesResponse;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Makes volumes for csi-sanity: the administrator's part, who writes them down. All of them show one model. */
final class FakeController extends ControllerGrpc.ControllerImplBase {
    private static final int CREATE_DELETE_VOLUME = 1;

    private final Map<String, CreatedVolume> volumes = new ConcurrentHashMap<>();
    private final String source;

    FakeController(String source) {
        this.source = source;
    }

    private static <T> void answer(StreamObserver<T> out, T answer) {
        out.onNext(answer);
        out.onCompleted();
    }

    private static void refuse(StreamObserver<?> out, Status status, String why) {
        out.onError(status.withDescription(why).asRuntimeException());
    }

    @Override
    public void createVolume(CreateVolumeRequest request, StreamObserver<CreateVolumeResponse> out) {
        if (request.getName().isEmpty() || request.getVolumeCapabilitiesCount() == 0) {
            refuse(out, Status.INVALID_ARGUMENT, "no name or no capability");
            return;
        }
        CreatedVolume wanted = CreatedVolume.newBuilder()
                .setVolumeId("id-of-" + request.getName())
                .setCapacityBytes(request.getCapacityRange().getRequiredBytes())
                .putVolumeContext("source", source)
                .build();
        CreatedVolume there = volumes.putIfAbsent(wanted.getVolumeId(), wanted);
        if (there != null && !there.equals(wanted)) {
            refuse(out, Status.ALREADY_EXISTS, "of another size");
            return;
        }
        answer(out, CreateVolumeResponse.newBuilder().setVolume(wanted).build());
    }

    @Override
    public void deleteVolume(DeleteVolumeRequest request, StreamObserver<DeleteVolumeResponse> out) {
        if (request.getVolumeId().isEmpty()) {
            refuse(out, Status.INVALID_ARGUMENT, "no id");
            return;
        }
        volumes.remove(request.getVolumeId());
        answer(out, DeleteVolumeResponse.getDefaultInstance());
    }

    @Override
    public void validateVolumeCapabilities(
            ValidateVolumeCapabilitiesRequest request, StreamObserver<ValidateVolumeCapabilitiesResponse> out) {
        if (request.getVolumeId().isEmpty() || request.getVolumeCapabilitiesCount() == 0) {
            refuse(out, Status.INVALID_ARGUMENT, "no id or no capability");
        } else if (!volumes.containsKey(request.getVolumeId())) {
            refuse(out, Status.NOT_FOUND, "no such volume");
        } else {
            answer(
                    out,
                    ValidateVolumeCapabilitiesResponse.newBuilder()
                            .setConfirmed(Confirmed.newBuilder()
                                    .putAllVolumeContext(request.getVolumeContextMap())
                                    .addAllVolumeCapabilities(request.getVolumeCapabilitiesList()))
                            .build());
        }
    }

    @Override
    public void controllerGetCapabilities(
            ControllerGetCapabilitiesRequest request, StreamObserver<ControllerGetCapabilitiesResponse> out) {
        answer(
                out,
                ControllerGetCapabilitiesResponse.newBuilder()
                        .addCapabilities(ControllerCapability.newBuilder()
                                .setRpc(ControllerCapability.RPC.newBuilder().setType(CREATE_DELETE_VOLUME)))
                        .build());
    }
}
