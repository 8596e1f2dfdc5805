package io.penstock.gpu.device;

import static jcuda.driver.CUstream_flags.CU_STREAM_NON_BLOCKING;

import io.penstock.cache.linux.Cpus;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import jcuda.CudaException;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUstream;
import jcuda.driver.CUuuid;
import jcuda.driver.JCudaDriver;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A GPU, through the driver: its primary context, one stream for each lane, pinned staging memory. Not to be touched unless
 * {@link Cuda#present}. Not yet measured on a GPU.
 */
final class CudaDevice implements Device {
    private static final Logger LOG = LoggerFactory.getLogger(CudaDevice.class);
    private static final int PORTABLE = 1;

    private final int ordinal;
    private final CUdevice device = new CUdevice();
    private final CUcontext context = new CUcontext();
    private final String name;
    private final String uuid;
    private final int driver;
    private final Optional<Cpus> near;
    private final Map<String, Opened> opened = new HashMap<>();

    /** An allocation of another process; one process may open it once, however many slots lie in it. */
    private static final class Opened {
        private final long address;
        private int users;

        private Opened(long address) {
            this.address = address;
        }
    }

    private CudaDevice(int ordinal) {
        this.ordinal = ordinal;
        JCudaDriver.setExceptionsEnabled(true);
        JCudaDriver.cuInit(0);
        JCudaDriver.cuDeviceGet(device, ordinal);
        byte[] text = new byte[128];
        JCudaDriver.cuDeviceGetName(text, text.length, device);
        name = new String(text, StandardCharsets.UTF_8).replace("\0", "").strip();
        CUuuid id = new CUuuid();
        JCudaDriver.cuDeviceGetUuid(id, device);
        uuid = HexFormat.of().formatHex(id.bytes);
        int[] version = new int[1];
        JCudaDriver.cuDriverGetVersion(version);
        driver = version[0];
        String[] bus = new String[1];
        JCudaDriver.cuDeviceGetPCIBusId(bus, 32, device);
        near = near(bus[0].replace("\0", "").strip().toLowerCase(Locale.ROOT));
        JCudaDriver.cuDevicePrimaryCtxRetain(context, device);
    }

    private static Optional<Cpus> near(String address) {
        try {
            return Cpus.nearPci(Path.of("/sys"), address);
        } catch (IOException | IllegalArgumentException e) {
            LOG.info("which processors are near GPU {} is not known: {}", address, e.toString());
            return Optional.empty();
        }
    }

    static CudaDevice open(int ordinal) throws PenstockException {
        try {
            return new CudaDevice(ordinal);
        } catch (CudaException e) {
            throw failed("GPU " + ordinal + " cannot be used", e);
        }
    }

    static Map<String, Device> byUuid() throws PenstockException {
        Map<String, Device> found = new LinkedHashMap<>();
        int[] count = new int[1];
        try {
            JCudaDriver.setExceptionsEnabled(true);
            JCudaDriver.cuInit(0);
            JCudaDriver.cuDeviceGetCount(count);
        } catch (CudaException e) {
            throw failed("the driver cannot be used", e);
        }
        for (int i = 0; i < count[0]; i++) {
            CudaDevice gpu = open(i);
            found.put(gpu.uuid, gpu);
        }
        return found;
    }

    /** A UUID without what programs put around it. */
    static String plainUuid(String uuid) {
        return uuid.toLowerCase(Locale.ROOT).replace("gpu-", "").replace("-", "");
    }

    @Override
    public String description() {
        return "cuda:%d %s (CUDA driver %d.%d)".formatted(ordinal, name, driver / 1000, driver % 1000 / 10);
    }

    @Override
    public List<String> kinds() {
        return List.of("cuda-ipc");
    }

    @Override
    public Optional<Cpus> near() {
        return near;
    }

    @Override
    public Destination open(Exported memory, Fd fd) throws IOException {
        if (!(memory instanceof Exported.CudaIpc(long bytes, byte[] handle, long offset, String _))) {
            throw new PenstockException(ErrorCode.LOADER_DEVICE, "this is no memory of a GPU", "");
        }
        String key = HexFormat.of().formatHex(handle);
        synchronized (opened) {
            enter();
            Opened allocation = opened.get(key);
            if (allocation == null) {
                allocation = new Opened(Cuda.openIpc(handle));
                opened.put(key, allocation);
            }
            allocation.users++;
            CUdeviceptr at = pointer(allocation.address + offset);
            return new CudaMemory(bytes, at, () -> release(key));
        }
    }

    private void release(String key) throws IOException {
        synchronized (opened) {
            Opened allocation = opened.get(key);
            if (--allocation.users == 0) {
                opened.remove(key);
                enter();
                call("close the engine's memory", () -> JCudaDriver.cuIpcCloseMemHandle(pointer(allocation.address)));
            }
        }
    }

    @Override
    public Destination allocate(long bytes) throws IOException {
        enter();
        CUdeviceptr at = new CUdeviceptr();
        call("allocate " + bytes + " bytes", () -> JCudaDriver.cuMemAlloc(at, bytes));
        return new CudaMemory(bytes, at, () -> {
            enter();
            call("free memory", () -> JCudaDriver.cuMemFree(at));
        });
    }

    @Override
    public Lane lane() throws IOException {
        enter();
        CUstream stream = new CUstream();
        call("make a stream", () -> JCudaDriver.cuStreamCreate(stream, CU_STREAM_NON_BLOCKING));
        return new CudaLane(stream);
    }

    @Override
    public Registration register(MemorySegment memory) throws IOException {
        enter();
        // Pointers of JCuda reach as far as a ByteBuffer does.
        Pointer pointer = Pointer.to(memory.asByteBuffer());
        call("pin staging memory", () -> JCudaDriver.cuMemHostRegister(pointer, memory.byteSize(), PORTABLE));
        return () -> {
            enter();
            call("release staging memory", () -> JCudaDriver.cuMemHostUnregister(pointer));
        };
    }

    @Override
    public void close() {
        int ignored = JCudaDriver.cuDevicePrimaryCtxRelease(device);
    }

    /** Makes the context current on this thread. */
    private void enter() throws IOException {
        call("enter the context", () -> JCudaDriver.cuCtxSetCurrent(context));
    }

    private static CUdeviceptr pointer(long address) {
        return new CUdeviceptr().withByteOffset(address);
    }

    private static void call(String what, Runnable work) throws PenstockException {
        try {
            work.run();
        } catch (CudaException e) {
            throw failed("cannot " + what, e);
        }
    }

    private static PenstockException failed(String what, CudaException e) {
        return new PenstockException(
                ErrorCode.LOADER_DEVICE, what + ": " + e.getMessage(), "nvidia-smi shows the GPU's state.", false, e);
    }

    private interface Release {
        void run() throws IOException;
    }

    private final class CudaMemory implements Destination {
        private final long bytes;
        private final CUdeviceptr at;
        private final Release release;

        CudaMemory(long bytes, CUdeviceptr at, Release release) {
            this.bytes = bytes;
            this.at = at;
            this.release = release;
        }

        @Override
        public long bytes() {
            return bytes;
        }

        @Override
        public Optional<MemorySegment> direct() {
            return Optional.empty();
        }

        @Override
        public void fetch(long offset, MemorySegment into) throws IOException {
            enter();
            Pointer host = Pointer.to(into.asByteBuffer());
            call("copy from the GPU", () -> JCudaDriver.cuMemcpyDtoH(host, at.withByteOffset(offset), into.byteSize()));
        }

        @Override
        public void close() throws IOException {
            release.run();
        }
    }

    private static final class CudaLane implements Lane {
        private final CUstream stream;

        CudaLane(CUstream stream) {
            this.stream = stream;
        }

        @Override
        public Copy copy(MemorySegment from, Destination to, long offset) throws IOException {
            CUdeviceptr target = ((CudaMemory) to).at.withByteOffset(offset);
            Pointer source = Pointer.to(from.asByteBuffer());
            CUevent done = new CUevent();
            call("copy to the GPU", () -> {
                JCudaDriver.cuEventCreate(done, CUevent_flags.CU_EVENT_DISABLE_TIMING);
                JCudaDriver.cuMemcpyHtoDAsync(target, source, from.byteSize(), stream);
                JCudaDriver.cuEventRecord(done, stream);
            });
            return () -> call("finish a copy to the GPU", () -> {
                JCudaDriver.cuEventSynchronize(done);
                JCudaDriver.cuEventDestroy(done);
            });
        }

        @Override
        public void close() throws IOException {
            call("finish copies", () -> {
                JCudaDriver.cuStreamSynchronize(stream);
                JCudaDriver.cuStreamDestroy(stream);
            });
        }
    }
}
