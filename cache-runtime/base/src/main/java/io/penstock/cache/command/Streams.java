package io.penstock.cache.command;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The process's own streams, or a test's.
 *
 * @param in answers to questions
 * @param out results
 * @param err everything else
 * @param outTerminal a person reads {@code out}
 * @param errTerminal a person reads {@code err}
 * @param inTerminal a person can answer
 */
public record Streams(
        BufferedReader in,
        PrintStream out,
        PrintStream err,
        boolean outTerminal,
        boolean errTerminal,
        boolean inTerminal) {

    /** Of this process; always UTF-8. */
    public static Streams ofProcess() {
        return new Streams(
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)),
                utf8(new FileOutputStream(FileDescriptor.out)),
                utf8(new FileOutputStream(FileDescriptor.err)),
                terminal(1),
                terminal(2),
                terminal(0));
    }

    /** Without a terminal. */
    public static Streams of(OutputStream out, OutputStream err) {
        return new Streams(
                new BufferedReader(new InputStreamReader(InputStream.nullInputStream(), StandardCharsets.UTF_8)),
                utf8(out),
                utf8(err),
                false,
                false,
                false);
    }

    private static PrintStream utf8(OutputStream stream) {
        return new PrintStream(stream, true, StandardCharsets.UTF_8);
    }

    /** Asks the kernel's name of the descriptor, which costs less than a call through the linker. */
    private static boolean terminal(int fd) {
        try {
            String target =
                    Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd)).toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
        } catch (IOException e) {
            return false; // closed, or no /proc: nobody to show anything to
        }
    }
}
