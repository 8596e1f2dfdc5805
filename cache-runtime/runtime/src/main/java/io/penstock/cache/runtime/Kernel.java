package io.penstock.cache.runtime;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The running kernel's release, as {@code uname -r} prints it. */
record Kernel(String release) {
    private static final Pattern NUMBERS = Pattern.compile("(\\d{1,4})\\.(\\d{1,4}).*");

    static Kernel running() {
        try {
            return new Kernel(
                    Files.readString(Path.of("/proc/sys/kernel/osrelease")).strip());
        } catch (IOException e) {
            throw new UncheckedIOException("/proc is not there", e);
        }
    }

    boolean isAtLeast(int major, int minor) {
        Matcher matcher = NUMBERS.matcher(release);
        if (!matcher.matches()) {
            return false;
        }
        int here = Integer.parseInt(matcher.group(1));
        return here > major || (here == major && Integer.parseInt(matcher.group(2)) >= minor);
    }
}
