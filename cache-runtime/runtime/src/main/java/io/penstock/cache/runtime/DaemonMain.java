package io.penstock.cache.runtime;

import io.penstock.cache.control.custody.CustodyChannel;
import io.penstock.cache.control.custody.v1.Hello;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.UnixSocket;
import java.io.IOException;
import java.time.Duration;

/** The daemon's main. Its descriptor 0 is a socket to the holder, which says everything else. */
public final class DaemonMain {
    private static final Duration GREETING = Duration.ofSeconds(30);
    private static final long TO_CLOSE_MILLIS = 5000;

    private DaemonMain() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        Daemon daemon = new Daemon();
        daemon.start(CustodyChannel.open(UnixSocket.adopt(Fd.adopt(0)), Hello.Role.DAEMON, GREETING));
        int status = daemon.awaitEnd();
        Thread closing = Thread.ofPlatform().daemon().name("closing").start(daemon::close);
        closing.join(TO_CLOSE_MILLIS);
        Runtime.getRuntime().halt(status);
    }
}
