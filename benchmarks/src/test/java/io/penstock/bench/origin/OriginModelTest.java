package io.penstock.bench.origin;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.cache.config.Bandwidth;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class OriginModelTest {
    private static final int MB = 1_000_000;

    @Test
    void firstByteWaitsOnEveryAnswerOfAConnection() throws Exception {
        OriginShape shape =
                new OriginShape(Duration.ofMillis(50), Bandwidth.UNLIMITED, Bandwidth.UNLIMITED, Duration.ofMillis(4));
        try (ByteServer server = ByteServer.start();
                OriginModel model = OriginModel.start(loopback(), server.address(), shape);
                Client client = new Client(model.address())) {
            long begin = System.nanoTime();
            for (int i = 0; i < 3; i++) {
                assertThat(client.get("/1000")).isEqualTo(1000);
            }
            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThanOrEqualTo(Duration.ofMillis(150));
            assertThat(model.counters().bodyBytes()).isEqualTo(3000);
            assertThat(model.counters().requests()).containsEntry("GET", 3L);
            assertThat(model.counters().responses()).containsEntry(200, 3L);
            assertThat(model.counters().connections()).isEqualTo(1);
        }
    }

    @Test
    void answersThatWereAskedForAheadOfTimeWaitToo() throws Exception {
        OriginShape shape =
                new OriginShape(Duration.ofMillis(50), Bandwidth.UNLIMITED, Bandwidth.UNLIMITED, Duration.ofMillis(4));
        try (ByteServer server = ByteServer.start();
                OriginModel model = OriginModel.start(loopback(), server.address(), shape);
                Client client = new Client(model.address())) {
            long begin = System.nanoTime();
            client.send(Client.request("GET", "/1000")
                    + Client.request("HEAD", "/5")
                    + Client.request("GET", "/chunked/77"));
            assertThat(client.answer()).isEqualTo(1000);
            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThanOrEqualTo(Duration.ofMillis(50));
            assertThat(client.headOnly()).containsIgnoringCase("content-length: 5");
            assertThat(client.headOnly()).contains("chunked");
            assertThat(client.chunked()).isEqualTo(77);
            assertThat(client.get("/3")).isEqualTo(3);
            assertThat(model.counters().bodyBytes()).isEqualTo(1000 + 77 + 3);
        }
    }

    @Test
    void oneConnectionIsHeldToItsRateAndAllToTheLinks() throws Exception {
        OriginShape shape =
                new OriginShape(Duration.ZERO, new Bandwidth(20L * MB), new Bandwidth(50L * MB), Duration.ofMillis(4));
        try (ByteServer server = ByteServer.start();
                OriginModel model = OriginModel.start(loopback(), server.address(), shape)) {
            assertThat(rate(model, 1, 4 * MB)).isBetween(0.75 * 20, 1.03 * 20);
            assertThat(rate(model, 5, 3 * MB)).isBetween(0.75 * 50, 1.03 * 50);
            assertThat(model.counters().mostConnections()).isBetween(5L, 6L);
        }
    }

    @Test
    void uploadsPassUnchanged() throws Exception {
        OriginShape shape = new OriginShape(
                Duration.ZERO, new Bandwidth(100L * MB), new Bandwidth(100L * MB), Duration.ofMillis(4));
        try (ByteServer server = ByteServer.start();
                OriginModel model = OriginModel.start(loopback(), server.address(), shape);
                Client client = new Client(model.address())) {
            client.send("PUT /key HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n");
            client.send("x".repeat(200_000));
            assertThat(client.answer()).isZero();
            assertThat(client.get("/9")).isEqualTo(9);
            assertThat(model.counters().uploadedBytes()).isEqualTo(200_000);
        }
    }

    @Test
    void countersAreAskedForOverHttpAndSetToZero() throws Exception {
        try (ByteServer server = ByteServer.start();
                OriginModel model = OriginModel.start(loopback(), server.address(), OriginShape.UNSHAPED)) {
            try (Client client = new Client(model.address())) {
                client.get("/1234");
            }
            try (Client client = new Client(model.address())) {
                assertThat(client.text("GET /.origin-model/counters HTTP/1.1\r\n\r\n"))
                        .contains("\"bodyBytes\":1234");
            }
            try (Client client = new Client(model.address())) {
                assertThat(client.text("POST /.origin-model/reset HTTP/1.1\r\n\r\n"))
                        .contains("\"bodyBytes\":0");
            }
        }
    }

    /** MB/s of {@code connections} that each get {@code bytes}, without the burst that the shape allows. */
    private static double rate(OriginModel model, int connections, int bytes) throws Exception {
        List<Client> clients = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(connections)) {
            List<Future<Long>> gets = new ArrayList<>();
            for (int i = 0; i < connections; i++) {
                clients.add(new Client(model.address()));
            }
            long begin = System.nanoTime();
            for (Client client : clients) {
                gets.add(threads.submit(() -> client.get("/" + bytes)));
            }
            long total = 0;
            for (Future<Long> get : gets) {
                total += get.get();
            }
            assertThat(total).isEqualTo((long) connections * bytes);
            return total / ((System.nanoTime() - begin) / 1e9 + 0.004) / MB;
        } finally {
            for (Client client : clients) {
                client.close();
            }
        }
    }

    private static InetSocketAddress loopback() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    private static final class Client implements AutoCloseable {
        private final Socket socket;
        private final InputStream in;
        private final OutputStream out;

        Client(InetSocketAddress address) throws IOException {
            socket = new Socket(address.getAddress(), address.getPort());
            in = socket.getInputStream();
            out = socket.getOutputStream();
        }

        void send(String bytes) throws IOException {
            out.write(bytes.getBytes(US_ASCII));
        }

        long get(String path) throws IOException {
            send(request("GET", path));
            return answer();
        }

        static String request(String method, String path) {
            return method + " " + path + " HTTP/1.1\r\nHost: h\r\n\r\n";
        }

        String text(String request) throws IOException {
            send(request);
            return new String(in.readAllBytes(), US_ASCII);
        }

        String headOnly() throws IOException {
            StringBuilder head = new StringBuilder();
            while (head.indexOf("\r\n\r\n") < 0) {
                head.append((char) in.read());
            }
            return head.toString();
        }

        long answer() throws IOException {
            String head = headOnly();
            int at = head.toLowerCase(Locale.ROOT).indexOf("content-length: ") + 16;
            long length = Long.parseLong(head.substring(at, head.indexOf("\r", at)));
            in.skipNBytes(length);
            return length;
        }

        long chunked() throws IOException {
            long total = 0;
            while (true) {
                StringBuilder size = new StringBuilder();
                while (size.indexOf("\r\n") < 0) {
                    size.append((char) in.read());
                }
                long length = Long.parseLong(size.toString().strip(), 16);
                in.skipNBytes(length + 2);
                if (length == 0) {
                    return total;
                }
                total += length;
            }
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
