package io.penstock.cache.source.net;

import io.penstock.cache.source.Transfer;

/** One request on its way. Its handler is called by the connection that carries it, or by the pool while it waits. */
final class Exchange implements Transfer {
    private final HttpRequest request;
    private final ResponseHandler handler;
    private final Pool pool;

    private volatile Connection carrier;
    private volatile boolean cancelled;
    private boolean resent;

    Exchange(HttpRequest request, ResponseHandler handler, Pool pool) {
        this.request = request;
        this.handler = handler;
        this.pool = pool;
    }

    HttpRequest request() {
        return request;
    }

    ResponseHandler handler() {
        return handler;
    }

    void submit() {
        pool.submit(this);
    }

    /** A connection takes it; false when it has been cancelled. */
    boolean carriedBy(Connection connection) {
        carrier = connection;
        return !cancelled;
    }

    /** It waits for a connection again; false when it has been cancelled. */
    boolean waits() {
        carrier = null;
        return !cancelled;
    }

    /** Whether it may be sent again because no connection answered; true once. */
    boolean mayResend() {
        boolean first = !resent;
        resent = true;
        return first && !cancelled;
    }

    @Override
    public void cancel() {
        cancelled = true;
        Connection connection = carrier;
        if (connection != null) {
            connection.cancel(this);
        } else {
            pool.cancel(this);
        }
    }

    static NetException cancelledError() {
        return new NetException(NetException.Kind.CANCELLED, "it was cancelled", null);
    }
}
