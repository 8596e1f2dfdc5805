package io.penstock.cache.control.server;

import io.grpc.BindableService;
import io.penstock.cache.control.rpc.RpcOptions;
import io.penstock.cache.control.rpc.TlsListener;
import io.penstock.cache.model.PenstockException;
import java.nio.file.Path;

/** The control API at an address, for the operator alone. */
public final class RemoteControl implements AutoCloseable {
    private static final RpcOptions OPTIONS = new RpcOptions("penstock-remote-control", 16 << 20, 32, 64);

    private final TlsListener listener;

    private RemoteControl(TlsListener listener) {
        this.listener = listener;
    }

    /**
     * Listens as soon as there are certificates.
     *
     * @throws PenstockException {@code BAD_VALUE}: {@code address} is none
     */
    public static RemoteControl start(String address, Path certificates, BindableService service)
            throws PenstockException {
        return new RemoteControl(TlsListener.start(address, certificates, OPTIONS, service));
    }

    /** Ends calls that still run. */
    @Override
    public void close() {
        listener.close();
    }
}
