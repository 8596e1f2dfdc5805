package io.penstock.cache.source.net;

import io.penstock.cache.source.net.NetException.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The connections to one authority. A request takes the connection used last, or waits while one is opened; whichever
 * becomes free first takes it. A connection that cannot be opened fails the request that has waited longest.
 */
final class Pool {
    private final Authority authority;
    private final NetOptions options;
    private final NetLoops loops;
    private final Connector connector;

    private final ArrayDeque<Connection> idle = new ArrayDeque<>();
    private final Set<Connection> open = new HashSet<>();
    private final ArrayDeque<Exchange> waiting = new ArrayDeque<>();
    private int opening;
    private boolean closed;

    Pool(Authority authority, NetOptions options, NetLoops loops, Proxy proxy, Tls tls) {
        this.authority = authority;
        this.options = options;
        this.loops = loops;
        this.connector = new Connector(authority, options, loops, proxy, tls, this);
    }

    synchronized int open() {
        return open.size();
    }

    void submit(Exchange exchange) {
        Connection connection;
        boolean refused;
        boolean connect = false;
        synchronized (this) {
            refused = !exchange.waits() || closed;
            connection = refused ? null : takeIdle();
            if (!refused && connection == null) {
                waiting.addLast(exchange);
                connect = reserve();
            }
        }
        if (refused) {
            failLater(exchange, Exchange.cancelledError());
        } else if (connection != null) {
            connection.begin(exchange);
        } else if (connect) {
            connector.connect();
        }
    }

    private Connection takeIdle() {
        long now = System.nanoTime();
        Connection connection;
        while ((connection = idle.pollLast()) != null) {
            if (connection.isFresh(now)) {
                return connection;
            }
            connection.close();
        }
        return null;
    }

    private boolean reserve() {
        boolean needed = !closed && opening < waiting.size() && open.size() + opening < options.maxConnections();
        if (needed) {
            opening++;
        }
        return needed;
    }

    /** A connection was opened. */
    void opened(Connection connection) {
        boolean late;
        synchronized (this) {
            opening--;
            late = closed;
            if (!late) {
                open.add(connection);
            }
        }
        if (late) {
            connection.close();
        } else {
            free(connection);
        }
    }

    /** A connection can carry the next request. */
    void free(Connection connection) {
        Exchange next;
        synchronized (this) {
            next = waiting.pollFirst();
            if (next == null && !closed) {
                idle.addLast(connection);
            }
        }
        if (next != null) {
            connection.begin(next);
        }
    }

    /** A connection could not be opened. */
    void notOpened(NetException error) {
        Exchange victim;
        boolean connect;
        synchronized (this) {
            opening--;
            victim = waiting.pollFirst();
            connect = reserve();
        }
        if (victim != null) {
            victim.handler().failed(error);
        }
        if (connect) {
            connector.connect();
        }
    }

    /** A connection has ended. */
    void closed(Connection connection) {
        boolean connect;
        synchronized (this) {
            open.remove(connection);
            idle.remove(connection);
            connect = reserve();
        }
        if (connect) {
            connector.connect();
        }
    }

    /** The origin has closed a connection unheard: what idles beside it is most likely dead too. */
    void resend(Exchange exchange) {
        List<Connection> stale;
        synchronized (this) {
            stale = new ArrayList<>(idle);
            idle.clear();
        }
        stale.forEach(Connection::close);
        submit(exchange);
    }

    void cancel(Exchange exchange) {
        boolean waited;
        synchronized (this) {
            waited = waiting.remove(exchange);
        }
        if (waited) {
            failLater(exchange, Exchange.cancelledError());
        }
    }

    private void failLater(Exchange exchange, NetException error) {
        loops.group().next().execute(() -> exchange.handler().failed(error));
    }

    void close() {
        List<Exchange> orphans;
        List<Connection> all;
        synchronized (this) {
            closed = true;
            orphans = new ArrayList<>(waiting);
            waiting.clear();
            idle.clear();
            all = new ArrayList<>(open);
        }
        orphans.forEach(e -> failLater(e, Exchange.cancelledError()));
        all.forEach(Connection::cancel);
    }

    NetException failure(Kind kind, String message, Throwable cause) {
        return new NetException(kind, authority + ": " + message, cause);
    }
}
