package io.penstock.cli.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.penstock.cache.linux.Machine;
import io.penstock.cache.runtime.TestInstallation;
import io.penstock.cache.source.FaultyOrigin;
import io.penstock.cli.Main;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What goes wrong with the real commands: a stable code, words that name the object, the next step, an exit status. */
@Timeout(300)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CommandErrorsTest {
    private TestInstallation place;
    private FaultyOrigin origin;
    private FileChannel open;
    private int count;

    @BeforeAll
    void start() throws Exception {
        assumeTrue(Machine.uid() == 0, "only root mounts without fusermount3");
        assumeTrue(Files.isWritable(Path.of("/dev/fuse")), "FUSE cannot be used here");
        origin = FaultyOrigin.start();
        origin.put("bucket/model/f", new byte[10]);
        origin.script(CommandErrorsTest::answer);
        place = TestInstallation.make().commandsOf(Main.class.getName());
        place.withVariable("AWS_ACCESS_KEY_ID", "AK")
                .withVariable("AWS_SECRET_ACCESS_KEY", "not-to-be-shown")
                .withVariable("AWS_ENDPOINT_URL_S3", origin.endpoint());
        byte[] file = place.file("model.safetensors", 1000, 1);
        assertThat(file).hasSize(1000);
        place.mount("used");
        Files.createDirectories(place.base().resolve("full/of/things"));
        Files.createDirectories(place.base().resolve("free"));
        Files.createDirectories(place.base().resolve("nothing"));
        Files.createFile(place.base().resolve("file"));
        open = FileChannel.open(place.point("used").resolve("model.safetensors"));
    }

    @AfterAll
    void stop() throws Exception {
        if (place != null) {
            open.close();
            place.close();
            origin.close();
        }
    }

    private static String answer(FaultyOrigin.Request request) {
        if (request.path().startsWith("/missing")) {
            return refused("404 Not Found", "NoSuchBucket", "");
        }
        if (request.path().startsWith("/elsewhere")) {
            return refused("400 Bad Request", "AuthorizationHeaderMalformed", "<Region>mars-1</Region>");
        }
        return request.path().startsWith("/secret") ? refused("403 Forbidden", "AccessDenied", "") : null;
    }

    private static String refused(String status, String code, String more) {
        String body = "<Error><Code>" + code + "</Code>" + more + "</Error>";
        return "HTTP/1.1 " + status + "\r\nContent-Type: application/xml\r\nContent-Length: " + body.length()
                + "\r\n\r\n" + body;
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
            nonsense                                       | 2 | PEN-0101 | there is no command
            mount                                          | 2 | PEN-0101 | SOURCE
            mount s3://bucket/model                        | 2 | PEN-0101 | DIR
            mount --colour BASE/model BASE/free            | 2 | PEN-0101 | --colour
            mount --set cache.chunk-sise=1MiB BASE/model BASE/free | 2 | PEN-0102 | cache.chunk-size
            mount --set cache.chunk-size=many BASE/model BASE/free | 2 | PEN-0103 | cache.chunk-size
            mount gopher://x BASE/free                     | 2 | PEN-0104 | gopher
            mount s3:// BASE/free                          | 2 | PEN-0104 | s3://
            mount --option colour=red s3://bucket/model BASE/free  | 2 | PEN-010 | colour
            mount --prefetch=sideways BASE/model BASE/free | 2 | PEN-0101 | sideways
            mount BASE/none BASE/free                      | 1 | PEN-0401 | BASE/none
            mount BASE/nothing BASE/free                   | 1 | PEN-0409 | BASE/nothing
            mount s3://missing/model BASE/free             | 1 | PEN-0401 | missing
            mount s3://bucket/other BASE/free              | 1 | PEN-0409 | bucket/other
            mount s3://secret/model BASE/free              | 4 | PEN-0402 | secret/model
            mount s3://elsewhere/model BASE/free           | 4 | PEN-0402 | region
            mount http://127.0.0.1:9/x/ BASE/free          | 1 | PEN-0404 | 127.0.0.1:9
            mount --offline s3://bucket/model BASE/free    | 1 | PEN-0604 | bucket/model
            mount BASE/model BASE/full                     | 2 | PEN-0501 | is not empty
            mount BASE/model BASE/file                     | 2 | PEN-0501 | is no directory
            mount BASE/model BASE/mnt-used                 | 1 | PEN-0502 | is mounted on
            mount --cache-dir BASE/othercache BASE/model BASE/free | 2 | PEN-0101 | --state-dir
            mount BASE/model /proc/penstock                | 2 | PEN-0501 | /proc/penstock
            unmount BASE/free                              | 1 | PEN-0503 | BASE/free
            unmount BASE/none                              | 1 | PEN-0503 | BASE/none
            unmount BASE/mnt-used                          | 1 | PEN-0504 | in use
            daemon                                         | 1 | PEN-0301 | runs already
            status --state-dir BASE/nowhere                | 1 | PEN-0601 | no daemon
            ls --filter color>1                            | 2 | PEN-0101 | color
            rm sha256:0123456789                           | 1 | PEN-0604 | 0123456789
            rm BASE/mnt-used --yes                         | 1 | PEN-0306 | mounted
            prefetch s3://missing/model                    | 1 | PEN-0401 | missing
            verify sha256:0123456789                       | 1 | PEN-0604 | 0123456789
            explain PEN-9999                               | 2 | PEN-0101 | PEN-9999
            """)
    void isSaid(String line, int status, String code, String words) throws Exception {
        String base = place.base().toString();
        String name = "command-" + count++;
        int ended =
                place.run(name, List.of(line.replace("BASE", base).split(" ")).toArray(new String[0]));
        String err = place.err(name);
        assertThat(err).as("status %d", ended).contains(code).contains(words.replace("BASE", base));
        assertThat(ended).as(err).isEqualTo(status);
        assertThat(place.out(name)).isEmpty();
        assertThat(err)
                .doesNotContain("not-to-be-shown")
                .doesNotContain("Exception")
                .doesNotContain("\tat ");
        if (line.startsWith("mount")) {
            assertThat(place.mounts().getMountsCount()).isEqualTo(1);
            assertThat(place.base().resolve("free")).isEmptyDirectory();
        }
    }

    @Test
    void aSecondDaemonOnTheSameCacheIsRefused() throws Exception {
        int ended = place.run(
                "second", "daemon", "--state-dir", place.base().resolve("run2").toString());
        assertThat(place.err("second"))
                .contains("PEN-0301", place.cache().toString())
                .doesNotContain("Exception");
        assertThat(ended).isEqualTo(1);
        assertThat(Files.readAllBytes(place.point("used").resolve("model.safetensors")))
                .hasSize(1000);
    }
}
