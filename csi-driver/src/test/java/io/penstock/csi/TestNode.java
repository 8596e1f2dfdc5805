package io.penstock.csi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.penstock.cache.control.StateDirectory;
import io.penstock.cache.linux.FileTrees;
import io.penstock.cache.linux.Machine;
import io.penstock.cache.linux.Mounts;
import io.penstock.cache.runtime.Jars;
import io.penstock.csi.v1.IdentityGrpc;
import io.penstock.csi.v1.NodeGetVolumeStatsRequest;
import io.penstock.csi.v1.NodeGetVolumeStatsResponse;
import io.penstock.csi.v1.NodeGrpc;
import io.penstock.csi.v1.NodePublishVolumeRequest;
import io.penstock.csi.v1.NodeUnpublishVolumeRequest;
import io.penstock.csi.v1.ProbeRequest;
import io.penstock.csi.v1.VolumeCapability;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;

/**
 * A node without Kubernetes: driver and daemon as the processes that they are, the daemon as nobody, on directories of their
 * own; and the kubelet's side of CSI. Leaves nothing when closed.
 */
public final class TestNode implements AutoCloseable {
    public static final Duration SOON = Duration.ofSeconds(60);
    private static final List<String> AS_NOBODY = List.of(
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "--no-new-privs",
            "--bounding-set=-all",
            "--inh-caps=-all",
            "--");

    private final Path base;
    private final String classPath = Jars.shared();
    private final List<Process> processes = new ArrayList<>();
    private final Map<String, String> environment = new LinkedHashMap<>();
    private final Map<String, String> settings = new LinkedHashMap<>();
    private final EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private ManagedChannel channel;
    private int count;

    private TestNode(Path base) throws IOException {
        this.base = base;
    }

    /** Whether this machine and user can do it. */
    public static boolean possible() {
        return Machine.uid() == 0
                && Files.isWritable(Path.of("/dev/fuse"))
                && Files.isExecutable(Path.of("/usr/bin/setpriv"));
    }

    public static TestNode make() throws IOException {
        Path base = Files.createTempDirectory(Path.of("/tmp"), "csi");
        Files.setPosixFilePermissions(base, PosixFilePermissions.fromString("rwxr-xr-x"));
        TestNode node = new TestNode(base);
        Files.createDirectories(node.kubelet().resolve("plugins_registry"));
        node.settings.put("csi.node-id", "node-1");
        node.settings.put("csi.sources", "s3,https,http,file");
        node.settings.put("csi.kubelet-dir", node.kubelet().toString());
        return node;
    }

    /** Tells driver and daemon, from their next start on. */
    public TestNode with(String key, String value) {
        settings.put(key, value);
        return this;
    }

    /** The whole of what driver and daemon have beside this process's own, from their next start on. */
    public void environment(Map<String, String> all) {
        environment.clear();
        environment.putAll(all);
    }

    public Path base() {
        return base;
    }

    public Path kubelet() {
        return base.resolve("kubelet");
    }

    public Path plugin() {
        return kubelet().resolve("plugins/csi.penstock.io");
    }

    public StateDirectory state() {
        return new StateDirectory(base.resolve("run"));
    }

    public Path cache() {
        return base.resolve("cache");
    }

    public Path model() {
        return base.resolve("model");
    }

    /** Writes a file of the model; the same seed gives the same bytes. */
    public byte[] file(String name, int size, long seed) throws IOException {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        Path file = model().resolve(name);
        Files.createDirectories(file.getParent());
        Files.write(file, bytes);
        return bytes;
    }

    /** Starts a driver; {@link #ready} waits for it. */
    public Process driver() throws IOException {
        return start("csi", List.of(), List.of("csi"));
    }

    public Process daemon() throws IOException {
        return start("daemon", AS_NOBODY, List.of("daemon", "--await-holder"));
    }

    private Process start(String name, List<String> user, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>(user);
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:-UsePerfData",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx96m",
                "-cp",
                classPath,
                ProcessMain.class.getName()));
        command.addAll(arguments);
        Map<String, String> all = new TreeMap<>(settings);
        all.put("state.dir", state().path().toString());
        all.put("cache.dir", cache().toString());
        all.forEach((key, value) -> command.addAll(List.of("--set", key + "=" + value)));
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(Path.of("/").toFile());
        Path out = base.resolve(name + "-" + count++ + ".log");
        builder.environment().putAll(environment);
        builder.redirectErrorStream(true).redirectOutput(out.toFile());
        Process process = builder.start();
        processes.add(process);
        return process;
    }

    /** Waits until driver and daemon serve together. */
    public TestNode ready() throws IOException {
        try {
            await().atMost(SOON)
                    .pollInterval(Duration.ofMillis(20))
                    .ignoreExceptions()
                    .until(() -> identity()
                            .probe(ProbeRequest.getDefaultInstance())
                            .getReady()
                            .getValue());
        } catch (ConditionTimeoutException e) {
            throw new AssertionError("driver and daemon do not come together:\n" + said(), e);
        }
        return this;
    }

    /** Everything that driver and daemon have said. */
    public String said() throws IOException {
        StringBuilder all = new StringBuilder();
        try (Stream<Path> files = Files.list(base)) {
            for (Path file :
                    files.filter(f -> f.toString().endsWith(".log")).sorted().toList()) {
                all.append("== ").append(file.getFileName()).append('\n').append(Files.readString(file));
            }
        }
        return all.toString();
    }

    private synchronized ManagedChannel channel() {
        if (channel == null) {
            channel = open(plugin().resolve("csi.sock"));
        }
        return channel;
    }

    /** A channel to another socket; the caller's to close. */
    public ManagedChannel open(Path socket) {
        return NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket))
                .channelType(NioDomainSocketChannel.class)
                .eventLoopGroup(loop)
                .overrideAuthority("localhost")
                .usePlaintext()
                .build();
    }

    /** The next call connects anew, as after a driver's restart. */
    public synchronized void reconnect() {
        if (channel != null) {
            channel.shutdownNow();
            channel = null;
        }
    }

    /** A channel that does not wait long before it connects again. */
    private ManagedChannel fresh() {
        channel().resetConnectBackoff();
        return channel();
    }

    public IdentityGrpc.IdentityBlockingStub identity() {
        return IdentityGrpc.newBlockingStub(fresh()).withDeadlineAfter(10, TimeUnit.SECONDS);
    }

    public NodeGrpc.NodeBlockingStub node() {
        return NodeGrpc.newBlockingStub(fresh()).withWaitForReady().withDeadlineAfter(60, TimeUnit.SECONDS);
    }

    /** Where the kubelet wants the volume of a pod; its parent is there, as the kubelet makes it. */
    public Path target(String pod) throws IOException {
        Path target = kubelet().resolve("pods/" + pod + "/volumes/kubernetes.io~csi/model/mount");
        Files.createDirectories(target.getParent());
        return target;
    }

    public NodePublishVolumeRequest.Builder request(String volume, Path target) {
        return NodePublishVolumeRequest.newBuilder()
                .setVolumeId(volume)
                .setTargetPath(target.toString())
                .setReadonly(true)
                .setVolumeCapability(VolumeCapability.newBuilder()
                        .setMount(VolumeCapability.MountVolume.getDefaultInstance())
                        .setAccessMode(VolumeCapability.AccessMode.newBuilder()
                                .setMode(VolumeCapability.AccessMode.Mode.MULTI_NODE_READER_ONLY)))
                .putVolumeContext("source", model().toString());
    }

    /** Publishes the model for a pod; the target. */
    public Path publish(String volume, String pod, String... attributes) throws IOException {
        Path target = target(pod);
        NodePublishVolumeRequest.Builder request = request(volume, target);
        for (String attribute : attributes) {
            String[] two = attribute.split("=", 2);
            request.putVolumeContext(two[0], two[1]);
        }
        assertThat(node().nodePublishVolume(request.build())).isNotNull();
        return target;
    }

    /** Tries again, as the kubelet does, while another call for the target is under way or no driver is there. */
    public void unpublish(String volume, Path target) {
        NodeUnpublishVolumeRequest request = NodeUnpublishVolumeRequest.newBuilder()
                .setVolumeId(volume)
                .setTargetPath(target.toString())
                .build();
        await().atMost(SOON)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(100))
                .until(() -> {
                    try {
                        return NodeGrpc.newBlockingStub(fresh())
                                        .withDeadlineAfter(30, TimeUnit.SECONDS)
                                        .nodeUnpublishVolume(request)
                                != null;
                    } catch (StatusRuntimeException e) {
                        if (e.getStatus().getCode() == Status.Code.ABORTED
                                || e.getStatus().getCode() == Status.Code.UNAVAILABLE) {
                            return false;
                        }
                        throw e;
                    }
                });
    }

    /** Of every pod. */
    public void unpublishAll() throws IOException {
        for (Path target : mounted().stream()
                .map(Mounts.Mount::point)
                .filter(p -> p.startsWith(kubelet().resolve("pods")))
                .distinct()
                .toList()) {
            unpublish("pv", target);
        }
        await().atMost(SOON).until(() -> mounted().isEmpty());
    }

    public NodeGetVolumeStatsResponse stats(String volume, Path target) {
        return node().nodeGetVolumeStats(NodeGetVolumeStatsRequest.newBuilder()
                .setVolumeId(volume)
                .setVolumePath(target.toString())
                .build());
    }

    /** Processes of this node. */
    public List<ProcessHandle> alive() {
        return processes.stream()
                .filter(Process::isAlive)
                .map(Process::toHandle)
                .toList();
    }

    public List<Mounts.Mount> mounted() throws IOException {
        return Mounts.list().stream().filter(m -> m.point().startsWith(base)).toList();
    }

    @Override
    public void close() throws IOException {
        reconnect();
        var _ = loop.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
        for (Mounts.Mount mount : mounted().reversed()) {
            Mounts.unmount(mount.point(), Mounts.MNT_DETACH | Mounts.UMOUNT_NOFOLLOW);
        }
        for (Process process : processes) {
            process.destroyForcibly();
        }
        await().atMost(SOON).until(() -> processes.stream().noneMatch(Process::isAlive));
        FileTrees.delete(base);
    }
}
