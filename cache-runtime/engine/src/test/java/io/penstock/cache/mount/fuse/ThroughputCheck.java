package io.penstock.cache.mount.fuse;

import io.penstock.cache.mount.FakeSnapshotReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Serves one file plain and one complete until the standard input ends, for dd, fio and the like; not a test. */
final class ThroughputCheck {
    private ThroughputCheck() {}

    public static void main(String[] arguments) throws Exception {
        int mib = Integer.parseInt(arguments[0]);
        Path store = Files.createTempDirectory(Path.of(arguments[1]), "store");
        SessionOptions options = SessionOptions.DEFAULTS.withThreads(Integer.parseInt(arguments[2]));
        FakeSnapshotReader reader = new FakeSnapshotReader(1, Map.of("plain", mib << 20, "complete", mib << 20));
        reader.complete("complete", store);
        try (KernelMount mount = new KernelMount(reader, options)) {
            System.out.println(mount.point + " " + store.resolve("complete"));
            int ignored = System.in.read();
            System.out.println(mount.session.stats());
        }
        Files.delete(store.resolve("complete"));
        Files.delete(store);
    }
}
