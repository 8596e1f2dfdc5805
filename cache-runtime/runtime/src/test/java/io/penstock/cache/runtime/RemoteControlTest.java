package io.penstock.cache.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.penstock.cache.control.ControlClient;
import io.penstock.cache.control.rpc.TlsIdentity;
import io.penstock.cache.control.v1.PrefetchJob;
import io.penstock.cache.control.v1.SnapshotInfo;
import io.penstock.cache.control.v1.SourceSpec;
import io.penstock.cache.control.v1.StartPrefetchRequest;
import io.penstock.testing.TestAuthority;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;

/** An operator elsewhere asks the daemon of a mount. */
@Timeout(120)
@EnabledIf("io.penstock.cache.runtime.ProcessesTest#mayMount")
final class RemoteControlTest {
    @Test
    void the_operator_resolves_and_prefetches_once_the_daemon_has_certificates() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        TestAuthority authority = new TestAuthority();
        TestAuthority.Named operator = authority.named(TlsIdentity.OPERATOR);
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        try (TestInstallation place = TestInstallation.make();
                ControlClient client = ControlClient.remote(
                        address, new TlsIdentity(operator.authorities(), operator.chain(), operator.key()))) {
            Path certificates = place.base().resolve("tls");
            place.with("control.listen=127.0.0.1:" + port, "control.tls-dir=" + certificates);
            byte[] weights = place.file("model.safetensors", 3_000_000, 1);
            place.mount("a");
            authority.named(TlsIdentity.DAEMON).write(certificates);
            await().atMost(TestInstallation.SOON)
                    .ignoreExceptions()
                    .until(() -> client.version().getPid() > 0);
            SnapshotInfo snapshot = client.resolve(SourceSpec.newBuilder()
                    .setLocation(place.model().toString())
                    .setProve(true)
                    .build());
            assertThat(snapshot.getBytes()).isEqualTo(weights.length);
            assertThat(snapshot.getMounted()).isTrue();
            PrefetchJob job = client.startPrefetch(StartPrefetchRequest.newBuilder()
                    .setSnapshot(snapshot.getDigest())
                    .build());
            assertThat(client.watchPrefetch(job.getId(), seen -> {}).getDoneBytes())
                    .isEqualTo(weights.length);
        }
    }
}
