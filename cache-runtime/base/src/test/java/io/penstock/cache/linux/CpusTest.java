package io.penstock.cache.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CpusTest {
    private static final String GPU = "0000:3b:00.0";

    @TempDir
    private Path sys;

    private void write(String path, String content) throws IOException {
        Files.createDirectories(sys.resolve(path).getParent());
        Files.writeString(sys.resolve(path), content + "\n");
    }

    @Test
    void lists_are_read() {
        assertThat(Cpus.parse("0-3,8,10-11\n").count()).isEqualTo(7);
        assertThat(Cpus.parse("0-3").and(Cpus.parse("2-9"))).isEqualTo(Cpus.parse("2,3"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "3-1", "a", "-1", "1-", "8192", "1,,2"})
    void other_texts_are_refused(String text) {
        assertThatThrownBy(() -> Cpus.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void processors_near_a_device_are_those_of_its_memory() throws Exception {
        write("bus/pci/devices/" + GPU + "/numa_node", "1");
        write("devices/system/node/node0/cpulist", "0-15");
        assertThat(Cpus.nearPci(sys, GPU)).as("one memory").isEmpty();
        write("devices/system/node/node1/cpulist", "16-31");
        assertThat(Cpus.nearPci(sys, GPU)).contains(Cpus.parse("16-31"));
        write("bus/pci/devices/" + GPU + "/numa_node", "-1");
        assertThat(Cpus.nearPci(sys, GPU)).as("a machine that does not say").isEmpty();
        assertThat(Cpus.nearPci(sys, "0000:00:00.0")).as("no such device").isEmpty();
    }

    @Test
    void a_thread_is_bound_and_no_other() throws Exception {
        Cpus before = Cpus.ofThisThread();
        String first = before.toString().replaceFirst("\\D*(\\d+).*", "$1");
        CompletableFuture<Cpus> bound = new CompletableFuture<>();
        CompletableFuture<String> kernel = new CompletableFuture<>();
        Thread.ofPlatform()
                .start(() -> {
                    try {
                        Cpus.parse(first).bindThisThread();
                        bound.complete(Cpus.ofThisThread());
                        kernel.complete(Files.readString(Path.of("/proc/thread-self/status")));
                    } catch (IOException e) {
                        bound.completeExceptionally(e);
                    }
                })
                .join();
        assertThat(bound.get()).isEqualTo(Cpus.parse(first));
        assertThat(kernel.get()).contains("Cpus_allowed_list:\t" + first + "\n");
        assertThat(Cpus.ofThisThread()).isEqualTo(before);
        assertThatThrownBy(() -> Cpus.parse("8000").bindThisThread()).isInstanceOf(ErrnoException.class);
    }
}
