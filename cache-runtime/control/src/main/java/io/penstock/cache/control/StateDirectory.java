package io.penstock.cache.control;

import java.nio.file.Path;

/**
 * What lies where in the directory through which the processes of one installation find each other. The holder owns it;
 * the daemon owns {@link #daemon()} below it and nothing else.
 */
public record StateDirectory(Path path) {

    /** Commands ask the holder here. */
    public Path holderSocket() {
        return path.resolve("holder.sock");
    }

    /** Locked by the one holder for as long as it lives. */
    public Path holderLock() {
        return path.resolve("holder.lock");
    }

    public Path holderLog() {
        return path.resolve("holder.log");
    }

    /** What the daemon's JVM says before its log is open, or when it dies. */
    public Path daemonOutput() {
        return path.resolve("daemon.out");
    }

    public Path daemon() {
        return path.resolve("daemon");
    }

    /** The control API. */
    public Path controlSocket() {
        return daemon().resolve("control.sock");
    }

    /** What pods see of all this, and nothing else. */
    public Path guest() {
        return daemon().resolve("guest");
    }

    /** The control API as far as guests may use it. */
    public Path guestSocket() {
        return guest().resolve("guest.sock");
    }

    /** Locked by the one daemon that serves, where others may stand by. */
    public Path daemonLock() {
        return daemon().resolve("daemon.lock");
    }

    /** A holder that comes later gets the descriptors of mounts here. */
    public Path custodySocket() {
        return daemon().resolve("custody.sock");
    }
}
