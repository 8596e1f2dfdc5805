package io.penstock.cache.control.health;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.penstock.cache.control.rpc.Addresses;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Answers {@code GET /healthz} and {@code GET /readyz}: 200 and {@code ok}, or 503 and why not. Says nothing else to
 * anybody.
 */
public final class HealthServer implements AutoCloseable {
    private static final int BACKLOG = 16;

    /** One thing that a probe asks. */
    @FunctionalInterface
    public interface Check {
        /** Empty when all is well, else why not; may block for some seconds. */
        String trouble();
    }

    private final HttpServer server;
    private final ExecutorService calls;

    private HealthServer(HttpServer server, ExecutorService calls) {
        this.server = server;
        this.calls = calls;
    }

    /**
     * Listens.
     *
     * @param address {@code host:port}; port 0: any that is free
     * @throws PenstockException {@code BAD_VALUE}: it is no address, or is in use
     */
    public static HealthServer start(String address, Check live, Check ready) throws PenstockException {
        try {
            HttpServer server = HttpServer.create(Addresses.parse(address), BACKLOG);
            ExecutorService calls = Executors.newVirtualThreadPerTaskExecutor();
            server.setExecutor(calls);
            server.createContext("/healthz", exchange -> answer(exchange, "/healthz", live));
            server.createContext("/readyz", exchange -> answer(exchange, "/readyz", ready));
            server.start();
            return new HealthServer(server, calls);
        } catch (IOException | IllegalArgumentException e) {
            throw new PenstockException(
                    ErrorCode.BAD_VALUE,
                    "health cannot be asked at '" + address + "': " + e.getMessage(),
                    "Name an address and a free port: 0.0.0.0:9808.",
                    false,
                    e);
        }
    }

    private static void answer(HttpExchange exchange, String path, Check check) throws IOException {
        try (exchange) {
            if (!exchange.getRequestURI().getPath().equals(path)) {
                exchange.sendResponseHeaders(404, -1);
                return;
            }
            String trouble = check.trouble();
            byte[] text = ((trouble.isEmpty() ? "ok" : trouble) + "\n").getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
            exchange.sendResponseHeaders(trouble.isEmpty() ? 200 : 503, text.length);
            exchange.getResponseBody().write(text);
        }
    }

    public int port() {
        return server.getAddress().getPort();
    }

    @Override
    public void close() {
        server.stop(0);
        calls.shutdownNow();
    }
}
