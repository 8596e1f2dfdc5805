package io.penstock.cache.source.net;

import io.penstock.cache.source.Transfer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;

/** Sends requests over kept-alive connections, a pool for each authority. Thread-safe. */
public final class NetClient implements AutoCloseable {
    private final NetLoops loops;
    private final NetOptions options;
    private final Proxies proxies;
    private final Tls tls;
    private final ConcurrentHashMap<Authority, Pool> pools = new ConcurrentHashMap<>();
    private volatile boolean closed;

    public NetClient(NetLoops loops, NetOptions options, Proxies proxies) {
        this.loops = loops;
        this.options = options;
        this.proxies = proxies;
        this.tls = new Tls(options);
    }

    /** A whole response with a small body. */
    public static final class Response {
        private final ResponseHead head;
        private final byte[] body;

        private Response(ResponseHead head, byte[] body) {
            this.head = head;
            this.body = body;
        }

        public ResponseHead head() {
            return head;
        }

        /** Not copied. */
        public byte[] body() {
            return body;
        }
    }

    /** Sends a request and returns at once. */
    public Transfer send(HttpRequest request, ResponseHandler handler) {
        if (closed) {
            throw new IllegalStateException("the source is closed");
        }
        Exchange exchange = new Exchange(request, handler, pool(request.authority()));
        exchange.submit();
        return exchange;
    }

    /**
     * Sends a request and waits for the answer, whatever its status.
     *
     * @param limit of the body, in bytes; a longer one is cut off there
     */
    public Response fetch(HttpRequest request, int limit) throws NetException {
        CompletableFuture<Response> answer = new CompletableFuture<>();
        Transfer transfer = send(request, new ResponseHandler() {
            private ResponseHead head;

            @Override
            public Body head(ResponseHead received) {
                head = received;
                return new Body.Collect(limit);
            }

            @Override
            public void completed(byte[] collected) {
                answer.complete(new Response(head, collected));
            }

            @Override
            public void failed(NetException error) {
                answer.completeExceptionally(error);
            }
        });
        try {
            return answer.get();
        } catch (InterruptedException e) {
            transfer.cancel();
            Thread.currentThread().interrupt();
            throw new NetException(NetException.Kind.CANCELLED, "it was interrupted", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof NetException cause) {
                throw new NetException(cause.kind(), cause.getMessage(), cause);
            }
            throw new IllegalStateException("only network errors end an exchange", e);
        }
    }

    private Pool pool(Authority authority) {
        return pools.computeIfAbsent(authority, a -> new Pool(a, options, loops, proxies.select(a), tls));
    }

    /** Connections that are open now. */
    public int openConnections() {
        return pools.values().stream().mapToInt(Pool::open).sum();
    }

    /** Cancels what is under way and closes every connection. */
    @Override
    public void close() {
        closed = true;
        pools.values().forEach(Pool::close);
    }
}
