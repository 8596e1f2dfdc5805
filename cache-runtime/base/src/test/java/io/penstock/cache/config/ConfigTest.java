package io.penstock.cache.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigTest {
    private enum Order {
        ALL,
        READING_ORDER
    }

    private static final Key<DataSize> CHUNK = Key.size("cache.chunk-size", "8MiB", "Bytes in a chunk");
    private static final Key<Integer> STREAMS = Key.integer("origin.streams", 16, 1, 512, "Connections to one origin");
    private static final Key<Order> ORDER = Key.choice("prefetch.order", Order.class, Order.ALL, "Order of prefetch");
    private static final Key<String> TOKEN =
            Key.text("origin.token", "", "A secret").secret();
    private static final Key<Path> LOG =
            Key.path("log.file", "", "Where the log goes").optional();
    private static final List<Key<?>> KEYS = List.of(CHUNK, STREAMS, ORDER, TOKEN, LOG);

    @TempDir
    private Path dir;

    private Path write(String name, String text) throws IOException {
        return Files.writeString(dir.resolve(name), text);
    }

    @Test
    void flagBeatsEnvironmentBeatsFileBeatsDefault() throws Exception {
        Path file =
                write("a.yaml", "cache:\n  chunk-size: 1MiB\norigin.streams: 2\nprefetch: {order: reading-order}\n");
        Config config = ConfigLoader.forKeys(KEYS)
                .file(file)
                .environment(Map.of("PENSTOCK_CACHE_CHUNK_SIZE", "2MiB", "PENSTOCK_ORIGIN_STREAMS", "3", "HOME", "/"))
                .flag("cache.chunk-size", "4MiB", "--chunk-size")
                .load();
        assertThat(config.get(CHUNK)).isEqualTo(DataSize.ofMiB(4));
        assertThat(config.origin(CHUNK)).hasToString("flag --chunk-size");
        assertThat(config.get(STREAMS)).isEqualTo(3);
        assertThat(config.origin(STREAMS)).hasToString("environment PENSTOCK_ORIGIN_STREAMS");
        assertThat(config.get(ORDER)).isEqualTo(Order.READING_ORDER);
        assertThat(config.origin(ORDER)).hasToString("file " + file);
        assertThat(config.find(LOG)).isEmpty();
        assertThat(config.origin(LOG)).isEqualTo(Origin.DEFAULT);
        assertThat(Config.defaults().get(CHUNK)).isEqualTo(DataSize.ofMiB(8));
    }

    @Test
    void laterFilesWinAndPropertiesAreRead() throws Exception {
        Config config = ConfigLoader.forKeys(KEYS)
                .file(write("a.yaml", "origin.streams: 2\n"))
                .file(write("b.properties", "origin.streams=5\nlog.file=~/x.log\n"))
                .load();
        assertThat(config.get(STREAMS)).isEqualTo(5);
        assertThat(config.get(LOG)).isEqualTo(Path.of(System.getProperty("user.home"), "x.log"));
    }

    @Test
    void anUnknownKeyNamesTheNearest() throws Exception {
        ConfigLoader file = ConfigLoader.forKeys(KEYS).file(write("a.yaml", "cache:\n  chunk-sise: 1MiB\n"));
        assertThatThrownBy(file::load).isInstanceOfSatisfying(PenstockException.class, e -> {
            assertThat(e.code()).isEqualTo(ErrorCode.UNKNOWN_KEY);
            assertThat(e).hasMessageContaining("cache.chunk-sise").hasMessageContaining("a.yaml");
            assertThat(e.remedy()).contains("Did you mean cache.chunk-size?");
        });
        ConfigLoader variable = ConfigLoader.forKeys(KEYS).environment(Map.of("PENSTOCK_ORIGIN_STREAM", "1"));
        assertThatThrownBy(variable::load)
                .hasMessageContaining("PENSTOCK_ORIGIN_STREAM")
                .extracting(e -> ((PenstockException) e).remedy())
                .asString()
                .contains("origin.streams");
    }

    @Test
    void theLaunchersAndKubernetesVariablesAreNotKeys() throws Exception {
        Map<String, String> environment = Map.of(
                "PENSTOCK_HOME", "/opt",
                "PENSTOCK_BUILD", "never",
                "PENSTOCK_READY_FD", "3",
                "PENSTOCK_SERVICE_HOST", "10.0.0.1",
                "PENSTOCK_PORT_443_TCP_ADDR", "10.0.0.1",
                "PENSTOCK_PORT", "tcp://10.0.0.1:443",
                "PENSTOCK_WEBHOOK_SERVICE_PORT_HTTPS", "443");
        assertThat(ConfigLoader.forKeys(KEYS).environment(environment).load().settings())
                .allMatch(s -> s.origin().equals(Origin.DEFAULT));
    }

    @Test
    void aKeyThatIsNamedLikeALinkOfKubernetesIsRead() throws Exception {
        Key<Integer> port = Key.integer("operator.control-port", 9810, 1, 65535, "");
        assertThat(ConfigLoader.forKeys(List.of(port))
                        .environment(Map.of("PENSTOCK_OPERATOR_CONTROL_PORT", "9000"))
                        .load()
                        .get(port))
                .isEqualTo(9000);
        assertThat(ConfigLoader.forKeys(List.of(port))
                        .environment(Map.of("PENSTOCK_OPERATOR_CONTROL_PORT", "tcp://10.0.0.1:9810"))
                        .load()
                        .get(port))
                .isEqualTo(9810);
    }

    @Test
    void aBadValueSaysWhereItWasWrittenAndWhatWasExpected() throws Exception {
        ConfigLoader loader = ConfigLoader.forKeys(KEYS).set("origin.streams=1000");
        assertThatThrownBy(loader::load)
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("origin.streams from flag --set is '1000'")
                .hasMessageContaining("from 1 to 512");
        ConfigLoader words = ConfigLoader.forKeys(KEYS).set("prefetch.order=any");
        assertThatThrownBy(words::load).hasMessageContaining("expected one of all|reading-order");
    }

    @Test
    void secretsAreNeverShown() throws Exception {
        Config config = ConfigLoader.forKeys(KEYS).set("origin.token=s3cr3t").load();
        assertThat(config.get(TOKEN)).isEqualTo("s3cr3t");
        assertThat(config.settings().toString()).doesNotContain("s3cr3t").contains(Setting.MASK);
    }

    @Test
    void filesThatAreNotConfigurationSayWhich() throws Exception {
        Path twice = write("twice.yaml", "a.b: 1\na.b: 2\n");
        assertThatThrownBy(() -> ConfigLoader.forKeys(KEYS).file(twice)).hasMessageContaining("twice.yaml");
        Path list = write("list.yaml", "cache.chunk-size: [1, 2]\n");
        assertThatThrownBy(() -> ConfigLoader.forKeys(KEYS).file(list))
                .hasMessageContaining("list at 'cache.chunk-size'");
        assertThatThrownBy(() -> ConfigLoader.forKeys(KEYS).file(dir.resolve("none.yaml")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("none.yaml");
    }

    @Test
    void keysHaveOneSpelling() {
        assertThatThrownBy(() -> Key.text("cacheSize", "", "")).isInstanceOf(IllegalArgumentException.class);
        List<Key<?>> clash = List.of(Key.text("a.b-c", "", ""), Key.text("a.b.c", "", ""));
        assertThatThrownBy(() -> ConfigLoader.forKeys(clash)).hasMessageContaining("PENSTOCK_A_B_C");
        assertThat(ConfigLoader.forAllKeys().keys()).containsKeys("cache.dir", "state.dir");
    }
}
