package io.penstock.csi.volume;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.control.custody.v1.MountSpec;
import io.penstock.cache.control.custody.v1.Prepared;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class ProofsTest {
    private static final Prepared PREPARED =
            Prepared.newBuilder().setDigest("sha256:1").build();

    private final AtomicLong now = new AtomicLong();
    private final Proofs proofs = new Proofs(now::get);

    private static MountSpec asked(String token, String... settings) {
        MountSpec.Builder spec = MountSpec.newBuilder()
                .setLocation("s3://models/m")
                .putEnvironment("PENSTOCK_WEB_IDENTITY_TOKEN", token)
                .putEnvironment("AWS_REGION", "here");
        for (String setting : settings) {
            spec.putSettings(setting, "on");
        }
        return spec.build();
    }

    @Test
    void isOfThoseWhoAskForTheSameWithTheSameCredentials() {
        proofs.add(asked("a"), PREPARED, 0);
        assertThat(proofs.fresh(asked("a").toBuilder()
                        .setMountPoint("/other")
                        .setPrefetch("all")
                        .setProve(true)
                        .build()))
                .contains(PREPARED);
        assertThat(proofs.fresh(asked("b"))).isEmpty();
        assertThat(proofs.fresh(asked("a", "s3.requester-pays"))).isEmpty();
        assertThat(proofs.fresh(
                        asked("a").toBuilder().setLocation("s3://models/m2").build()))
                .isEmpty();
    }

    @Test
    void isOverSoonAfterTheOriginWasAsked() {
        proofs.add(asked("a"), PREPARED, now.get());
        now.addAndGet(Proofs.FRESH.toNanos());
        assertThat(proofs.fresh(asked("a"))).isPresent();
        now.addAndGet(1);
        assertThat(proofs.fresh(asked("a"))).isEmpty();
    }

    @Test
    void isNotMadeOfWhatWasStored() {
        proofs.add(
                asked("a"), PREPARED.toBuilder().addNotes("took the snapshot").build(), 0);
        assertThat(proofs.fresh(asked("a"))).isEmpty();
    }
}
