package io.penstock.operator.node;

import io.penstock.cache.control.ControlClient;
import io.penstock.cache.model.PenstockException;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/** One client for each daemon that is spoken to. Thread-safe. */
public final class NodeClients implements AutoCloseable {
    private final Dialer dialer;
    private final Map<String, ControlClient> clients = new HashMap<>();

    public NodeClients(Dialer dialer) {
        this.dialer = dialer;
    }

    /** Something asked of a daemon; blocks. */
    @FunctionalInterface
    public interface Question<T> {
        T ask(ControlClient client) throws PenstockException;
    }

    /** Asks, with the client that there is or a new one. */
    public <T> T ask(Daemon daemon, Question<T> question) throws PenstockException {
        return question.ask(client(daemon));
    }

    private synchronized ControlClient client(Daemon daemon) throws PenstockException {
        ControlClient client = clients.get(daemon.pod());
        if (client == null) {
            client = dialer.dial(daemon);
            clients.put(daemon.pod(), client);
        }
        return client;
    }

    /** Closes the clients of all others. */
    synchronized void keep(Collection<Daemon> daemons) {
        var pods = daemons.stream().map(Daemon::pod).toList();
        clients.entrySet().removeIf(e -> {
            if (pods.contains(e.getKey())) {
                return false;
            }
            e.getValue().close();
            return true;
        });
    }

    /** Connects anew with the next question, for example with other certificates. */
    public void renew() {
        close();
    }

    @Override
    public synchronized void close() {
        clients.values().forEach(ControlClient::close);
        clients.clear();
    }
}
