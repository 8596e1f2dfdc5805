package io.penstock.operator.metrics;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.penstock.cache.control.rpc.Addresses;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;

/** Answers {@code GET /metrics} as Prometheus or OpenMetrics text, to whoever asks. */
public final class MetricsServer implements AutoCloseable {
    private static final int BACKLOG = 16;
    /** Answers that are made at the same time; each is some 100 KiB with 1,000 Datasets. */
    private static final int AT_ONCE = 2;

    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Semaphore turns = new Semaphore(AT_ONCE);
    private final ExpositionFormats formats = ExpositionFormats.init();
    private final Meters meters;

    private MetricsServer(HttpServer server, Meters meters) {
        this.server = server;
        this.meters = meters;
    }

    /**
     * Listens.
     *
     * @param address {@code host:port}; port 0: any that is free
     * @throws PenstockException {@code BAD_VALUE}: it is no address, or is in use
     */
    public static MetricsServer start(String address, Meters meters) throws PenstockException {
        try {
            HttpServer server = HttpServer.create(Addresses.parse(address), BACKLOG);
            MetricsServer metrics = new MetricsServer(server, meters);
            server.setExecutor(metrics.threads);
            var _ = server.createContext("/metrics", metrics::answer);
            server.start();
            return metrics;
        } catch (IOException | IllegalArgumentException e) {
            throw new PenstockException(
                    ErrorCode.BAD_VALUE,
                    "metrics cannot be asked at '" + address + "': " + e.getMessage(),
                    "Name an address and a free port in operator.metrics: 0.0.0.0:9812.",
                    false,
                    e);
        }
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            if (!exchange.getRequestURI().getPath().equals("/metrics")) {
                exchange.sendResponseHeaders(HttpURLConnection.HTTP_NOT_FOUND, -1);
                return;
            }
            if (!exchange.getRequestMethod().equals("GET")) {
                exchange.sendResponseHeaders(HttpURLConnection.HTTP_BAD_METHOD, -1);
                return;
            }
            ExpositionFormatWriter writer =
                    formats.findWriter(exchange.getRequestHeaders().getFirst("Accept"));
            ByteArrayOutputStream text = new ByteArrayOutputStream();
            turns.acquire();
            try {
                writer.write(text, meters.look());
            } finally {
                turns.release();
            }
            exchange.getResponseHeaders().set("Content-Type", writer.getContentType());
            exchange.sendResponseHeaders(HttpURLConnection.HTTP_OK, text.size());
            text.writeTo(exchange.getResponseBody());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    public int port() {
        return server.getAddress().getPort();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
