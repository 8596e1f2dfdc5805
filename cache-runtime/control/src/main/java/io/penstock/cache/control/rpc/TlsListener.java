package io.penstock.cache.control.rpc;

import io.grpc.BindableService;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Services at an address, for clients that show who they are. Its certificates are files that come late and change: it
 * listens as soon as they are there, and takes changed ones for new connections. Thread-safe.
 */
public final class TlsListener implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TlsListener.class);
    private static final Duration TICK = Duration.ofSeconds(1);

    private final InetSocketAddress address;
    private final Path directory;
    private final RpcOptions options;
    private final BindableService service;
    private final Thread watch;
    private TlsIdentity identity;
    private RenewedTls tls;
    private String trouble = "";
    private volatile RpcServer server;

    private TlsListener(InetSocketAddress address, Path directory, RpcOptions options, BindableService service) {
        this.address = address;
        this.directory = directory;
        this.options = options;
        this.service = service;
        this.watch = Thread.ofVirtual().name(options.thread() + "-tls").unstarted(this::watch);
    }

    /**
     * Listens, at once or later.
     *
     * @param address {@code host:port}
     * @param directory of {@code ca.crt}, {@code tls.crt}, {@code tls.key}; need not be there yet
     * @throws PenstockException {@code BAD_VALUE}: {@code address} is none
     */
    public static TlsListener start(String address, Path directory, RpcOptions options, BindableService service)
            throws PenstockException {
        InetSocketAddress at;
        try {
            at = Addresses.parse(address);
        } catch (IllegalArgumentException e) {
            throw new PenstockException(
                    ErrorCode.BAD_VALUE,
                    "'" + address + "' is no address to listen at: " + e.getMessage(),
                    "Name an address and a port: 0.0.0.0:9810.",
                    false,
                    e);
        }
        TlsListener listener = new TlsListener(at, directory, options, service);
        listener.look();
        listener.watch.start();
        return listener;
    }

    private void watch() {
        try {
            while (true) {
                TimeUnit.NANOSECONDS.sleep(TICK.toNanos());
                look();
            }
        } catch (InterruptedException e) {
            LOG.debug("no longer watching {}", directory, e);
        }
    }

    private synchronized void look() {
        try {
            TlsIdentity found = TlsIdentity.read(directory);
            if (!found.equals(identity)) {
                take(found);
            }
            trouble = "";
        } catch (NoSuchFileException e) {
            say("waiting for " + e.getFile());
        } catch (IOException | GeneralSecurityException e) {
            say(e.getMessage());
        }
    }

    private void take(TlsIdentity found) throws IOException, GeneralSecurityException {
        if (server == null) {
            RenewedTls first = new RenewedTls(found.server(TlsIdentity.OPERATOR));
            server = RpcServer.onAddress(address, first, options, service);
            tls = first;
            LOG.info("{} may ask at {}", TlsIdentity.OPERATOR, Addresses.text(address));
        } else {
            tls.renew(found.server(TlsIdentity.OPERATOR));
            LOG.info("new certificates from {}", directory);
        }
        identity = found;
    }

    private void say(String what) {
        if (!what.equals(trouble)) {
            trouble = what;
            String state = server == null ? "does not listen yet" : "goes on with the certificates it has";
            LOG.warn("{} {}: {}", Addresses.text(address), state, what);
        }
    }

    /** Where it listens; 0 as long as it does not. */
    public int port() {
        RpcServer now = server;
        return now == null ? 0 : now.port();
    }

    @Override
    public void close() {
        watch.interrupt();
        synchronized (this) {
            if (server != null) {
                server.close();
            }
        }
    }
}
