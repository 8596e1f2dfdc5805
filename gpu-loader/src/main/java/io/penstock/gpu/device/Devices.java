package io.penstock.gpu.device;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.gpu.device.Device.Exported;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The devices of this process. Thread-safe. */
public final class Devices implements AutoCloseable {
    private final Device host;
    private final Map<String, Device> gpus;

    private Devices(Device host, Map<String, Device> gpus) {
        this.host = host;
        this.gpus = new LinkedHashMap<>(gpus);
    }

    /** Host memory only. */
    public static Devices hostOnly() {
        return new Devices(HostDevice.direct(), Map.of());
    }

    /** Host memory, and the GPUs that the driver shows, if there is one. */
    public static Devices all() throws PenstockException {
        return new Devices(HostDevice.direct(), Cuda.present() ? CudaDevice.byUuid() : Map.of());
    }

    /**
     * By name.
     *
     * @param name {@code host}, or {@code cuda:0}
     */
    public static Device named(String name) throws PenstockException {
        if (name.equals("host") || name.equals("cpu")) {
            return HostDevice.direct();
        }
        if (name.equals("host-staged")) {
            return HostDevice.staged();
        }
        if (!name.matches("cuda(:\\d{1,3})?")) {
            throw new PenstockException(ErrorCode.USAGE, "there is no device '" + name + "'", "Use host, or cuda:0.");
        }
        if (!Cuda.present()) {
            throw new PenstockException(
                    ErrorCode.LOADER_DEVICE,
                    "this machine has no usable NVIDIA driver: " + Cuda.absence(),
                    "Use --device host, or install the driver.");
        }
        return CudaDevice.open(name.equals("cuda") ? 0 : Integer.parseInt(name.substring(5)));
    }

    /** What they are, for every output. */
    public String description() {
        return gpus.isEmpty()
                ? host.description()
                : String.join(
                        ", ", gpus.values().stream().map(Device::description).toList());
    }

    /** Kinds of memory that can be opened. */
    public List<String> kinds() {
        List<String> kinds = new ArrayList<>(host.kinds());
        gpus.values().stream().limit(1).forEach(g -> kinds.addAll(g.kinds()));
        return List.copyOf(kinds);
    }

    /** The one that an engine's memory is on. */
    public Device of(Exported memory) throws PenstockException {
        return switch (memory) {
            case Exported.Shared _ -> host;
            case Exported.CudaIpc ipc -> {
                Device gpu = gpus.get(CudaDevice.plainUuid(ipc.gpu()));
                if (gpu == null) {
                    throw new PenstockException(
                            ErrorCode.LOADER_DEVICE,
                            "the loader does not see GPU " + ipc.gpu() + "; it has " + description(),
                            "Run the loader where it sees the engine's GPUs.");
                }
                yield gpu;
            }
        };
    }

    @Override
    public void close() {
        gpus.values().forEach(Device::close);
        host.close();
    }
}
