package io.penstock.cache.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * Calls to libc, and errno capture. One thread's errno segment is never seen by another.
 *
 * <p>All functions are called through two shapes, six machine words and six of which the second is a pointer: the JVM
 * needs some 20 ms to make a shape, and every process of ours would wait for twenty of them when it starts. On Linux on
 * x86-64 and aarch64 an integer is passed as a word, words too many are not looked at, and variadic functions are called
 * like others. Of an {@code int} result only the lower half means something: cast it.
 */
final class Libc {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final ThreadLocal<MemorySegment> CAPTURED =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(STATE));
    private static final MethodHandle WORDS = shape(JAVA_LONG);
    private static final MethodHandle WITH_POINTER = shape(ADDRESS);

    private Libc() {}

    private static MethodHandle shape(MemoryLayout second) {
        return LINKER.downcallHandle(
                FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, second, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
                Linker.Option.captureCallState("errno"));
    }

    static Function function(String name) {
        return new Function(
                LINKER.defaultLookup().find(name).orElseThrow(() -> new UnsatisfiedLinkError("libc has no " + name)));
    }

    /** One function of libc. */
    record Function(MemorySegment address) {
        long call() {
            return call(0, 0, 0, 0, 0, 0);
        }

        long call(long a) {
            return call(a, 0, 0, 0, 0, 0);
        }

        long call(long a, long b) {
            return call(a, b, 0, 0, 0, 0);
        }

        long call(long a, long b, long c) {
            return call(a, b, c, 0, 0, 0);
        }

        long call(long a, long b, long c, long d) {
            return call(a, b, c, d, 0, 0);
        }

        long call(long a, long b, long c, long d, long e) {
            return call(a, b, c, d, e, 0);
        }

        long call(long a, long b, long c, long d, long e, long f) {
            try {
                return (long) WORDS.invokeExact(address, CAPTURED.get(), a, b, c, d, e, f);
            } catch (Throwable t) {
                throw unexpected(t);
            }
        }

        long call(long a, MemorySegment b, long c) {
            return call(a, b, c, 0);
        }

        /** The segment cannot be freed while the call is under way. */
        long call(long a, MemorySegment b, long c, long d) {
            try {
                return (long) WITH_POINTER.invokeExact(address, CAPTURED.get(), a, b, c, d, 0L, 0L);
            } catch (Throwable t) {
                throw unexpected(t);
            }
        }
    }

    /** The address of native memory that stays allocated until after the call. */
    static long pointer(MemorySegment memory) {
        if (!memory.isNative()) {
            throw new IllegalArgumentException("memory of the heap has no address");
        }
        return memory.address();
    }

    static int errno() {
        return (int) ERRNO.get(CAPTURED.get(), 0L);
    }

    static int check(String call, int result) throws ErrnoException {
        if (result < 0) {
            throw new ErrnoException(call, errno());
        }
        return result;
    }

    static long check(String call, long result) throws ErrnoException {
        if (result < 0) {
            throw new ErrnoException(call, errno());
        }
        return result;
    }

    /** What a method handle throws here is a bug of ours, never an expected outcome. */
    private static RuntimeException unexpected(Throwable t) {
        if (t instanceof Error e) {
            throw e;
        }
        return t instanceof RuntimeException r ? r : new IllegalStateException(t);
    }
}
