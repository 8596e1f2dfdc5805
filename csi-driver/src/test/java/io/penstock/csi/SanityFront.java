package io.penstock.csi;

import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.penstock.csi.rpc.SocketServer;
import io.penstock.csi.v1.GetPluginCapabilitiesRequest;
import io.penstock.csi.v1.GetPluginCapabilitiesResponse;
import io.penstock.csi.v1.GetPluginInfoRequest;
import io.penstock.csi.v1.GetPluginInfoResponse;
import io.penstock.csi.v1.IdentityGrpc;
import io.penstock.csi.v1.NodeGetCapabilitiesRequest;
import io.penstock.csi.v1.NodeGetCapabilitiesResponse;
import io.penstock.csi.v1.NodeGetInfoRequest;
import io.penstock.csi.v1.NodeGetInfoResponse;
import io.penstock.csi.v1.NodeGetVolumeStatsRequest;
import io.penstock.csi.v1.NodeGetVolumeStatsResponse;
import io.penstock.csi.v1.NodeGrpc;
import io.penstock.csi.v1.NodePublishVolumeRequest;
import io.penstock.csi.v1.NodePublishVolumeResponse;
import io.penstock.csi.v1.NodeUnpublishVolumeRequest;
import io.penstock.csi.v1.NodeUnpublishVolumeResponse;
import io.penstock.csi.v1.PluginCapability;
import io.penstock.csi.v1.ProbeRequest;
import io.penstock.csi.v1.ProbeResponse;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Supplier;

/** What csi-sanity talks to: the driver, with a controller beside it, without which it tests nothing. */
final class SanityFront {
    private SanityFront() {}

    static SocketServer start(Path socket, TestNode node) throws IOException {
        return SocketServer.start(
                socket,
                new Identity(node),
                new Node(node),
                new FakeController(node.model().toString()));
    }

    private static <T> void pass(StreamObserver<T> out, Supplier<T> call) {
        T answer;
        try {
            answer = call.get();
        } catch (StatusRuntimeException e) {
            out.onError(e);
            return;
        }
        out.onNext(answer);
        out.onCompleted();
    }

    private static final class Identity extends IdentityGrpc.IdentityImplBase {
        private final TestNode node;

        Identity(TestNode node) {
            this.node = node;
        }

        @Override
        public void getPluginInfo(GetPluginInfoRequest request, StreamObserver<GetPluginInfoResponse> out) {
            pass(out, () -> node.identity().getPluginInfo(request));
        }

        @Override
        public void getPluginCapabilities(
                GetPluginCapabilitiesRequest request, StreamObserver<GetPluginCapabilitiesResponse> out) {
            pass(
                    out,
                    () -> node.identity().getPluginCapabilities(request).toBuilder()
                            .addCapabilities(PluginCapability.newBuilder()
                                    .setService(PluginCapability.Service.newBuilder()
                                            .setType(PluginCapability.Service.Type.CONTROLLER_SERVICE)))
                            .build());
        }

        @Override
        public void probe(ProbeRequest request, StreamObserver<ProbeResponse> out) {
            pass(out, () -> node.identity().probe(request));
        }
    }

    private static final class Node extends NodeGrpc.NodeImplBase {
        private final TestNode node;

        Node(TestNode node) {
            this.node = node;
        }

        @Override
        public void nodePublishVolume(NodePublishVolumeRequest request, StreamObserver<NodePublishVolumeResponse> out) {
            pass(out, () -> node.node().nodePublishVolume(request));
        }

        @Override
        public void nodeUnpublishVolume(
                NodeUnpublishVolumeRequest request, StreamObserver<NodeUnpublishVolumeResponse> out) {
            pass(out, () -> node.node().nodeUnpublishVolume(request));
        }

        @Override
        public void nodeGetVolumeStats(
                NodeGetVolumeStatsRequest request, StreamObserver<NodeGetVolumeStatsResponse> out) {
            pass(out, () -> node.node().nodeGetVolumeStats(request));
        }

        @Override
        public void nodeGetCapabilities(
                NodeGetCapabilitiesRequest request, StreamObserver<NodeGetCapabilitiesResponse> out) {
            pass(out, () -> node.node().nodeGetCapabilities(request));
        }

        @Override
        public void nodeGetInfo(NodeGetInfoRequest request, StreamObserver<NodeGetInfoResponse> out) {
            pass(out, () -> node.node().nodeGetInfo(request));
        }
    }
}
