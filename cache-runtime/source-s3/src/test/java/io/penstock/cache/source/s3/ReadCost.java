package io.penstock.cache.source.s3;

import io.penstock.cache.model.ByteRange;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.source.Source;
import io.penstock.cache.source.SourceException;
import io.penstock.cache.source.Sources;
import io.penstock.cache.source.TransferListener;
import io.penstock.cache.source.net.NetOptions;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Reads everything under a location into native buffers that are thrown away, and prints MB/s and the CPU seconds of
 * this process, kernel work included, for each GB. Arguments: location, passes, then options as key=value ({@code
 * range-mib}, {@code in-flight}, {@code threads}, {@code rcvbuf}, and those of the source). Credentials come from the
 * environment.
 */
final class ReadCost {
    private ReadCost() {}

    public static void main(String[] arguments) throws Exception {
        long started = System.nanoTime();
        Map<String, String> options = new java.util.HashMap<>();
        for (int i = 2; i < arguments.length; i++) {
            int eq = arguments[i].indexOf('=');
            options.put(arguments[i].substring(0, eq), arguments[i].substring(eq + 1));
        }
        long rangeSize = number(options, "range-mib", 8) << 20;
        int inFlight = (int) number(options, "in-flight", 8);
        int threads = (int) number(options, "threads", 1);
        int receive = (int) number(options, "rcvbuf", 0);
        NetOptions net = NetOptions.DEFAULT.withReceiveBuffer(receive);
        try (Sources sources = new Sources(net, threads);
                Source source = sources.open(arguments[0], options, Map.of());
                Arena arena = Arena.ofShared()) {
            List<Entry> entries = new ArrayList<>();
            AtomicReference<Long> first = new AtomicReference<>();
            source.list(page -> {
                first.compareAndSet(null, System.nanoTime());
                entries.addAll(page);
            });
            System.out.printf(
                    "%d objects; first page after %.0f ms, %.0f ms after the JVM's start%n",
                    entries.size(), (first.get() - started) / 1e6, sinceStart());
            BlockingQueue<MemorySegment> buffers = new ArrayBlockingQueue<>(inFlight);
            for (int i = 0; i < inFlight; i++) {
                buffers.add(arena.allocate(rangeSize, 4096));
            }
            for (int pass = 0; pass < Integer.parseInt(arguments[1]); pass++) {
                pass(source, entries, rangeSize, buffers);
            }
        }
    }

    private static double sinceStart() {
        return System.currentTimeMillis()
                - ProcessHandle.current().info().startInstant().orElseThrow().toEpochMilli();
    }

    private static long number(Map<String, String> options, String name, long otherwise) {
        String value = options.remove(name);
        return value == null ? otherwise : Long.parseLong(value);
    }

    private static void pass(Source source, List<Entry> entries, long size, BlockingQueue<MemorySegment> buffers)
            throws Exception {
        AtomicReference<SourceException> failure = new AtomicReference<>();
        long cpu = cpuTicks();
        long start = System.nanoTime();
        long bytes = 0;
        int all = buffers.size();
        for (Entry entry : entries) {
            ObjectId object = entry.object();
            for (long at = 0; at < object.size(); at += size) {
                ByteRange range = new ByteRange(at, Math.min(size, object.size() - at));
                MemorySegment buffer = buffers.take();
                bytes += range.length();
                source.read(object, range, buffer.asSlice(0, range.length()), new TransferListener() {
                    @Override
                    public void received(long total) {}

                    @Override
                    public void completed() {
                        buffers.add(buffer);
                    }

                    @Override
                    public void failed(SourceException error) {
                        failure.set(error);
                        buffers.add(buffer);
                    }
                });
            }
        }
        List<MemorySegment> back = new ArrayList<>();
        while (back.size() < all) {
            back.add(buffers.take());
        }
        buffers.addAll(back);
        if (failure.get() != null) {
            throw failure.get();
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        double gb = bytes / 1e9;
        System.out.printf(
                "%.2f GB in %.2f s: %.0f MB/s, %.3f CPU s/GB%n",
                gb, seconds, gb * 1e3 / seconds, (cpuTicks() - cpu) / 100.0 / gb);
    }

    /** User and system time of this process, in hundredths of a second. */
    private static long cpuTicks() throws IOException {
        String stat = Files.readString(Path.of("/proc/self/stat"));
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        return Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
    }
}
