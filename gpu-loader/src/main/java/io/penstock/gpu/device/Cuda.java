package io.penstock.gpu.device;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * What has to be asked of libcuda itself: whether it is there at all, since JCuda's classes fail for good where it is not, and
 * handles of other processes' memory, whose bytes JCuda does not let in. Not yet measured on a GPU.
 */
final class Cuda {
    private static final String LIBRARY = "libcuda.so.1";
    private static final int CU_IPC_MEM_LAZY_ENABLE_PEER_ACCESS = 1;
    private static final StructLayout HANDLE = MemoryLayout.structLayout(MemoryLayout.sequenceLayout(64, JAVA_BYTE));
    private static final String ABSENCE = probe();

    private Cuda() {}

    /** Whether there is a driver and a GPU. */
    static boolean present() {
        return ABSENCE.isEmpty();
    }

    /** Why not; empty when there is. */
    static String absence() {
        return ABSENCE;
    }

    private static String probe() {
        SymbolLookup library;
        try {
            library = SymbolLookup.libraryLookup(LIBRARY, Arena.global());
        } catch (IllegalArgumentException e) {
            return "there is no " + LIBRARY;
        }
        try (Arena arena = Arena.ofConfined()) {
            MethodHandle init = function(library, "cuInit", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
            int failed = (int) init.invokeExact(0);
            if (failed != 0) {
                return "cuInit says " + failed;
            }
            MemorySegment count = arena.allocate(JAVA_INT);
            MethodHandle devices = function(library, "cuDeviceGetCount", FunctionDescriptor.of(JAVA_INT, ADDRESS));
            failed = (int) devices.invokeExact(count);
            return failed != 0 || count.get(JAVA_INT, 0) == 0 ? "the driver shows no GPU" : "";
        } catch (Error e) {
            throw e;
        } catch (Throwable e) {
            return LIBRARY + " cannot be called: " + e;
        }
    }

    private static MethodHandle function(SymbolLookup library, String name, FunctionDescriptor shape) {
        return Linker.nativeLinker().downcallHandle(library.findOrThrow(name), shape);
    }

    /**
     * Opens memory that another process has exported, in the context that is current.
     *
     * @return the device's address
     */
    static long openIpc(byte[] handle) throws IOException {
        SymbolLookup library = SymbolLookup.libraryLookup(LIBRARY, Arena.global());
        MethodHandle open =
                function(library, "cuIpcOpenMemHandle_v2", FunctionDescriptor.of(JAVA_INT, ADDRESS, HANDLE, JAVA_INT));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(JAVA_LONG);
            MemorySegment bytes = arena.allocate(HANDLE).copyFrom(MemorySegment.ofArray(handle));
            int failed = (int) open.invokeExact(address, bytes, CU_IPC_MEM_LAZY_ENABLE_PEER_ACCESS);
            if (failed != 0) {
                throw new IOException("the driver does not open the engine's memory: CUDA error " + failed);
            }
            return address.get(JAVA_LONG, 0);
        } catch (Error | IOException | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new IOException(e);
        }
    }
}
