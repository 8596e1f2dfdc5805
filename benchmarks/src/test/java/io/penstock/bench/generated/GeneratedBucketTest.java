package io.penstock.bench.generated;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.bench.checkpoint.Checkpoint;
import io.penstock.bench.checkpoint.CheckpointWriter;
import io.penstock.bench.checkpoint.Layout;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GeneratedBucketTest {
    private final HttpClient client = HttpClient.newHttpClient();

    @AfterEach
    void closeClient() {
        client.close();
    }

    @Test
    void anyRangeOfAGeneratedShardIsThatOfTheWrittenFile(@TempDir Path temp) throws Exception {
        Checkpoint checkpoint = Checkpoint.scaled(Layout.DEEPSEEK_V3, 16 << 20, 600, 1);
        CheckpointWriter.write(checkpoint, temp.resolve("m"));
        String shard = "model-00001-of-000002.safetensors";
        byte[] written = Files.readAllBytes(temp.resolve("m").resolve(shard));
        try (GeneratedBucket bucket = start(checkpoint.objects())) {
            Random random = new Random(5);
            for (int i = 0; i < 50; i++) {
                int from = random.nextInt(written.length);
                int to = Math.min(written.length - 1, from + random.nextInt(300_000));
                HttpResponse<byte[]> answer = get(bucket, shard, "bytes=" + from + "-" + to);
                assertThat(answer.statusCode()).isEqualTo(206);
                assertThat(answer.body()).isEqualTo(java.util.Arrays.copyOfRange(written, from, to + 1));
            }
            assertThat(get(bucket, shard, "bytes=0-").body()).isEqualTo(written);
            assertThat(get(bucket, shard, "bytes=" + written.length + "-").statusCode())
                    .isEqualTo(416);
            assertThat(get(bucket, "nothing", "bytes=0-").statusCode()).isEqualTo(404);
        }
    }

    @Test
    void pagesOfAListHoldEveryKeyOnce() throws Exception {
        Map<String, GeneratedObject> objects = new HashMap<>();
        for (int i = 0; i < 2500; i++) {
            objects.put("model/" + i, new GeneratedBytes(ByteBuffer.allocate(1)));
        }
        objects.put("other", new GeneratedBytes(ByteBuffer.allocate(1)));
        try (GeneratedBucket bucket = start(objects)) {
            int keys = 0;
            String token = "";
            for (int page = 0; page < 3; page++) {
                String list = new String(
                        get(bucket, "?list-type=2&prefix=model/" + token, "bytes=0-")
                                .body(),
                        java.nio.charset.StandardCharsets.UTF_8);
                keys += list.split("<Key>", -1).length - 1;
                Matcher next =
                        Pattern.compile("<NextContinuationToken>(.*)</Next").matcher(list);
                token = next.find() ? "&continuation-token=" + next.group(1) : "";
                assertThat(token.isEmpty()).isEqualTo(page == 2);
            }
            assertThat(keys).isEqualTo(2500);
        }
    }

    private static GeneratedBucket start(Map<String, GeneratedObject> objects) throws IOException {
        return GeneratedBucket.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), "b", objects);
    }

    private HttpResponse<byte[]> get(GeneratedBucket bucket, String rest, String range)
            throws IOException, InterruptedException {
        String slash = rest.startsWith("?") ? "" : "/";
        URI uri = URI.create("http://127.0.0.1:" + bucket.address().getPort() + "/b" + slash + rest);
        return client.send(
                HttpRequest.newBuilder(uri).header("Range", range).build(), HttpResponse.BodyHandlers.ofByteArray());
    }
}
