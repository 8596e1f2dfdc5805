package io.penstock.cache.runtime;

import io.penstock.cache.linux.Fd;
import java.io.IOException;
import java.nio.file.Path;

/**
 * How a process that stays lets go of the terminal it was started from. The launcher waits on a pipe, whose number is in
 * {@code PENSTOCK_READY_FD}, for the exit status of the command; after that line nobody waits for us any more.
 */
final class Terminal {
    private static final String READY = "PENSTOCK_READY_FD";
    private static final int LARGEST_FD = 1 << 20;

    private Terminal() {}

    /** Whether somebody waits for the line. */
    static boolean isWaitedFor() {
        String number = System.getenv(READY);
        return number != null && number.matches("[3-9]|[1-9]\\d{1,5}") && Integer.parseInt(number) < LARGEST_FD;
    }

    /** Tells who waits that the command has done its work, and writes to {@code log} from now on. */
    static void leave(Path log) throws IOException {
        try (Fd nothing = Fd.open(Path.of("/dev/null"), Fd.O_RDONLY, 0);
                Fd file = Fd.open(log, Fd.O_WRONLY | Fd.O_CREAT | Fd.O_APPEND | Fd.O_NOFOLLOW, 0600)) {
            System.out.flush();
            System.err.flush();
            nothing.copyTo(0);
            file.copyTo(1);
            file.copyTo(2);
        }
        try (Fd ready = Fd.adopt(Integer.parseInt(System.getenv(READY)))) {
            ready.writeText("0\n");
        }
    }
}
