package io.penstock.csi.rpc;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.csi.v1.NodeGetCapabilitiesRequest;
import io.penstock.csi.v1.NodeGetCapabilitiesResponse;
import io.penstock.csi.v1.NodeGetInfoRequest;
import io.penstock.csi.v1.NodeGetInfoResponse;
import io.penstock.csi.v1.NodeGetVolumeStatsRequest;
import io.penstock.csi.v1.NodeGetVolumeStatsResponse;
import io.penstock.csi.v1.NodeGrpc;
import io.penstock.csi.v1.NodePublishVolumeRequest;
import io.penstock.csi.v1.NodePublishVolumeResponse;
import io.penstock.csi.v1.NodeServiceCapability;
import io.penstock.csi.v1.NodeUnpublishVolumeRequest;
import io.penstock.csi.v1.NodeUnpublishVolumeResponse;
import io.penstock.csi.v1.VolumeCapability;
import io.penstock.csi.v1.VolumeCondition;
import io.penstock.csi.v1.VolumeUsage;
import io.penstock.csi.volume.MountFlags;
import io.penstock.csi.volume.VolumeSpec;
import io.penstock.csi.volume.Volumes;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/** Publishes volumes on this node. Checks each argument before it does anything. */
public final class NodeService extends NodeGrpc.NodeImplBase implements AutoCloseable {
    private static final List<NodeServiceCapability.RPC.Type> CAPABILITIES =
            List.of(NodeServiceCapability.RPC.Type.GET_VOLUME_STATS, NodeServiceCapability.RPC.Type.VOLUME_CONDITION);
    private static final Set<String> FILE_SYSTEMS = Set.of("", "fuse.penstock");

    private final String nodeId;
    private final Volumes volumes;
    private final Calls calls;

    /**
     * The service of one node.
     *
     * @param longest that a call takes
     */
    public NodeService(String nodeId, Volumes volumes, Duration longest) {
        this.nodeId = nodeId;
        this.volumes = volumes;
        this.calls = new Calls(longest);
    }

    @Override
    public void nodePublishVolume(NodePublishVolumeRequest request, StreamObserver<NodePublishVolumeResponse> out) {
        calls.answer(out, "publish " + called(request.getVolumeId(), request.getTargetPath()), () -> {
            require(request.getVolumeId(), "volume_id");
            require(request.getTargetPath(), "target_path");
            if (!request.hasVolumeCapability()) {
                throw Replies.missing("volume_capability");
            }
            Path target = volumes.targets().parse(request.getTargetPath());
            VolumeSpec spec = VolumeSpec.of(
                    request.getVolumeId(), target, request.getVolumeContextMap(), flags(request.getVolumeCapability()));
            volumes.publish(spec, request.getVolumeContextMap(), request.getSecretsMap());
            return NodePublishVolumeResponse.getDefaultInstance();
        });
    }

    private static long flags(VolumeCapability capability) throws PenstockException {
        if (!capability.hasMount()) {
            throw refused("the volume is wanted as a block device", "Use volumeMode: Filesystem.");
        }
        if (!FILE_SYSTEMS.contains(capability.getMount().getFsType())) {
            throw refused("the volume is wanted with a file system of its own", "Leave fsType out.");
        }
        if (!capability.getMount().getVolumeMountGroup().isEmpty()) {
            throw refused("the volume is wanted with a group of its own", "Leave fsGroup out: everybody may read it.");
        }
        return switch (capability.getAccessMode().getMode()) {
            case MULTI_NODE_SINGLE_WRITER, MULTI_NODE_MULTI_WRITER ->
                throw refused("the volume is wanted for writing from many nodes", "Use accessModes: [ReadOnlyMany].");
            case UNKNOWN, UNRECOGNIZED -> throw refused("the volume is wanted without an access mode", "");
            default -> MountFlags.of(capability.getMount().getMountFlagsList());
        };
    }

    @Override
    public void nodeUnpublishVolume(
            NodeUnpublishVolumeRequest request, StreamObserver<NodeUnpublishVolumeResponse> out) {
        calls.answer(out, "unpublish " + called(request.getVolumeId(), request.getTargetPath()), () -> {
            require(request.getVolumeId(), "volume_id");
            require(request.getTargetPath(), "target_path");
            volumes.unpublish(volumes.targets().parse(request.getTargetPath()));
            return NodeUnpublishVolumeResponse.getDefaultInstance();
        });
    }

    @Override
    public void nodeGetVolumeStats(NodeGetVolumeStatsRequest request, StreamObserver<NodeGetVolumeStatsResponse> out) {
        calls.tell(out, "stats " + called(request.getVolumeId(), request.getVolumePath()), () -> {
            require(request.getVolumeId(), "volume_id");
            require(request.getVolumePath(), "volume_path");
            VolumeSpec.checkId(request.getVolumeId());
            Volumes.Usage usage = volumes.usage(request.getVolumeId(), request.getVolumePath())
                    .orElseThrow(() -> Status.NOT_FOUND
                            .withDescription("no such volume is published there")
                            .asRuntimeException());
            return NodeGetVolumeStatsResponse.newBuilder()
                    .addUsage(full(VolumeUsage.Unit.BYTES, usage.bytes()))
                    .addUsage(full(VolumeUsage.Unit.INODES, usage.objects()))
                    .setVolumeCondition(VolumeCondition.newBuilder()
                            .setAbnormal(!usage.condition().well())
                            .setMessage(usage.condition().text()))
                    .build();
        });
    }

    /** A read-only volume is as large as what is in it. */
    private static VolumeUsage full(VolumeUsage.Unit unit, long amount) {
        return VolumeUsage.newBuilder()
                .setUnit(unit)
                .setTotal(amount)
                .setUsed(amount)
                .setAvailable(0)
                .build();
    }

    @Override
    public void nodeGetCapabilities(
            NodeGetCapabilitiesRequest request, StreamObserver<NodeGetCapabilitiesResponse> out) {
        NodeGetCapabilitiesResponse.Builder all = NodeGetCapabilitiesResponse.newBuilder();
        CAPABILITIES.forEach(type -> all.addCapabilities(NodeServiceCapability.newBuilder()
                .setRpc(NodeServiceCapability.RPC.newBuilder().setType(type))));
        out.onNext(all.build());
        out.onCompleted();
    }

    @Override
    public void nodeGetInfo(NodeGetInfoRequest request, StreamObserver<NodeGetInfoResponse> out) {
        out.onNext(NodeGetInfoResponse.newBuilder().setNodeId(nodeId).build());
        out.onCompleted();
    }

    private static void require(String value, String field) {
        if (value.isEmpty()) {
            throw Replies.missing(field);
        }
    }

    private static PenstockException refused(String what, String remedy) {
        return new PenstockException(ErrorCode.BAD_VALUE, what, remedy);
    }

    /** For the log: whatever comes, one line of it. */
    private static String called(String id, String path) {
        return plain(id) + " at " + plain(path);
    }

    private static String plain(String text) {
        String safe = text.codePoints()
                .limit(300)
                .map(c -> Character.isISOControl(c) || Character.getType(c) == Character.FORMAT ? '?' : c)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
        return safe.isEmpty() ? "(none)" : safe;
    }

    @Override
    public void close() {
        calls.close();
    }
}
