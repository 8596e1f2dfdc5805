package io.penstock.bench.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** CPU time as the kernel counts it, in ticks of 10 ms. */
final class Cpu {
    private static final double TICKS_PER_SECOND = 100;
    private static final String KTHREADD = "2";

    private Cpu() {}

    /** Seconds that this process has used, its kernel work included. */
    static double process() {
        return ticks(Path.of("/proc/self/stat")) / TICKS_PER_SECOND;
    }

    /** Seconds that all kernel threads have used: write-back, journal, loop devices. */
    static double kernelThreads() throws IOException {
        try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
            return processes
                            .filter(path -> path.getFileName().toString().matches("\\d+"))
                            .mapToLong(path -> kernelTicks(path.resolve("stat")))
                            .sum()
                    / TICKS_PER_SECOND;
        }
    }

    private static long kernelTicks(Path stat) {
        String[] fields = fields(stat);
        return fields.length > 12 && fields[1].equals(KTHREADD) ? sum(fields) : 0;
    }

    private static long ticks(Path stat) {
        return sum(fields(stat));
    }

    private static long sum(String[] fields) {
        return Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
    }

    /** The fields after the name: state, parent, ...; utime and stime are 11 and 12. None when the process has ended. */
    private static String[] fields(Path stat) {
        try {
            String text = Files.readString(stat);
            return text.substring(text.lastIndexOf(')') + 2).split(" ");
        } catch (IOException e) {
            return new String[0];
        }
    }

    /** A line of /proc/meminfo in bytes. */
    static long memory(String name) throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/meminfo"))) {
            return lines.filter(line -> line.startsWith(name + ":"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                    .findFirst()
                    .orElseThrow();
        }
    }
}
