package io.penstock.operator.admission;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.penstock.operator.certificates.Certificates;
import io.penstock.operator.certificates.Tls;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where the API server asks: HTTPS, POST {@code /admit}. */
public final class AdmissionServer implements AutoCloseable {
    public static final String PATH = "/admit";

    private static final Logger LOG = LoggerFactory.getLogger(AdmissionServer.class);
    /** Old and new object, each at most what etcd takes. */
    private static final int LARGEST = 4 << 20;

    /** As long as the API server waits for an answer. */
    private static final Duration DEADLINE = Duration.ofSeconds(5);

    /** Of all that are being read or answered. */
    private static final long LARGEST_TOGETHER = 48 << 20;

    private static final int PART = 16 << 10;
    private static final int AT_ONCE = 16;

    private final HttpsServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final ScheduledExecutorService deadlines = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("deadlines").factory());
    private final AtomicLong held = new AtomicLong();
    private final Semaphore turns = new Semaphore(AT_ONCE);
    private final Reviews reviews;
    private final ReviewListener listener;
    private final Duration deadline;

    private AdmissionServer(HttpsServer server, Reviews reviews, ReviewListener listener, Duration deadline) {
        this.server = server;
        this.reviews = reviews;
        this.listener = listener;
        this.deadline = deadline;
    }

    /** Listens at {@code address} with the webhook's certificate; for another certificate, close it and start a new one. */
    public static AdmissionServer start(
            InetSocketAddress address, Certificates.Material material, PodChange change, ReviewListener listener)
            throws IOException, GeneralSecurityException {
        return start(address, material, change, listener, DEADLINE);
    }

    static AdmissionServer start(
            InetSocketAddress address,
            Certificates.Material material,
            PodChange change,
            ReviewListener listener,
            Duration deadline)
            throws IOException, GeneralSecurityException {
        HttpsServer server = HttpsServer.create(address, 0);
        server.setHttpsConfigurator(new HttpsConfigurator(Tls.context(material.webhook(), material.authorities())));
        AdmissionServer admission = new AdmissionServer(server, new Reviews(change), listener, deadline);
        var ignored = server.createContext(PATH, admission::handle);
        server.setExecutor(admission.threads);
        server.start();
        return admission;
    }

    public int port() {
        return server.getAddress().getPort();
    }

    private void handle(HttpExchange exchange) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        String kind = Reviews.OTHER;
        String result = "refused";
        long began = System.nanoTime();
        try (exchange) {
            if (!read(exchange, body)) {
                return;
            }
            Reviews.Answer answer;
            turns.acquire();
            try {
                answer = reviews.answer(body.toByteArray());
            } catch (JsonProcessingException | IllegalArgumentException e) {
                LOG.warn("a review cannot be read: {}", e.getClass().getSimpleName());
                send(exchange, HttpURLConnection.HTTP_BAD_REQUEST, text("this is no AdmissionReview"));
                return;
            } finally {
                turns.release();
            }
            send(exchange, HttpURLConnection.HTTP_OK, text(answer.body()));
            kind = answer.kind();
            result = answer.result();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            held.addAndGet(-body.size());
            listener.reviewed(kind, result, Duration.ofNanos(System.nanoTime() - began));
        }
    }

    /**
     * Reads before it is anybody's turn: who sends slowly holds up nobody, and is cut off at the deadline.
     *
     * @return false: it was refused
     */
    private boolean read(HttpExchange exchange, ByteArrayOutputStream body) throws IOException {
        ScheduledFuture<?> cut =
                deadlines.schedule(() -> threads.execute(exchange::close), deadline.toMillis(), TimeUnit.MILLISECONDS);
        try {
            byte[] part = new byte[PART];
            InputStream in = exchange.getRequestBody();
            for (int count = in.read(part); count >= 0; count = in.read(part)) {
                body.write(part, 0, count);
                boolean full = held.addAndGet(count) > LARGEST_TOGETHER;
                if (body.size() > LARGEST) {
                    send(exchange, HttpURLConnection.HTTP_ENTITY_TOO_LARGE, text("larger than " + LARGEST + " bytes"));
                    return false;
                }
                if (full) {
                    send(exchange, HttpURLConnection.HTTP_UNAVAILABLE, text("too many reviews at once"));
                    return false;
                }
            }
            return true;
        } finally {
            cut.cancel(false);
        }
    }

    private static byte[] text(String message) {
        return message.getBytes(StandardCharsets.UTF_8);
    }

    private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.getResponseHeaders()
                .set("Content-Type", status == HttpURLConnection.HTTP_OK ? "application/json" : "text/plain");
        exchange.sendResponseHeaders(status, body.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(body);
        }
    }

    @Override
    public void close() {
        server.stop(1);
        threads.shutdownNow();
        deadlines.shutdownNow();
    }
}
