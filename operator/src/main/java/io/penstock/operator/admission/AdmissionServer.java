package io.penstock.operator.admission;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.penstock.operator.certificates.Certificates;
import io.penstock.operator.certificates.Tls;
import java.io.IOException;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where the API server asks: HTTPS, POST {@code /admit}. */
public final class AdmissionServer implements AutoCloseable {
    public static final String PATH = "/admit";

    private static final Logger LOG = LoggerFactory.getLogger(AdmissionServer.class);
    /** Old and new object, each at most what etcd takes. */
    private static final int LARGEST = 4 << 20;

    private static final int AT_ONCE = 16;

    private final HttpsServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Semaphore turns = new Semaphore(AT_ONCE);
    private final Reviews reviews;

    private AdmissionServer(HttpsServer server, Reviews reviews) {
        this.server = server;
        this.reviews = reviews;
    }

    /** Listens at {@code address} with the webhook's certificate; for another certificate, close it and start a new one. */
    public static AdmissionServer start(InetSocketAddress address, Certificates.Material material, PodChange change)
            throws IOException, GeneralSecurityException {
        HttpsServer server = HttpsServer.create(address, 0);
        server.setHttpsConfigurator(new HttpsConfigurator(Tls.context(material.webhook(), material.authorities())));
        AdmissionServer admission = new AdmissionServer(server, new Reviews(change));
        var ignored = server.createContext(PATH, admission::handle);
        server.setExecutor(admission.threads);
        server.start();
        return admission;
    }

    public int port() {
        return server.getAddress().getPort();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            turns.acquire();
            try {
                byte[] body = exchange.getRequestBody().readNBytes(LARGEST + 1);
                if (body.length > LARGEST) {
                    send(exchange, HttpURLConnection.HTTP_ENTITY_TOO_LARGE, text("larger than " + LARGEST + " bytes"));
                } else {
                    send(exchange, HttpURLConnection.HTTP_OK, reviews.answer(body));
                }
            } catch (JsonProcessingException | IllegalArgumentException e) {
                LOG.warn("a review cannot be read: {}", e.getClass().getSimpleName());
                send(exchange, HttpURLConnection.HTTP_BAD_REQUEST, text("this is no AdmissionReview"));
            } finally {
                turns.release();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
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
    }
}
