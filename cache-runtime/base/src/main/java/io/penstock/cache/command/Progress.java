package io.penstock.cache.command;

import java.io.PrintStream;
import java.time.Duration;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.function.LongSupplier;

/**
 * One line that tells how far something is. On a terminal it is rewritten at most four times a second; elsewhere a plain
 * line is written every 10 s or 5 %, and at most once a second. The percentage never falls. Not thread-safe.
 */
public final class Progress implements AutoCloseable {
    private static final long TERMINAL_PERIOD = 250_000_000;
    private static final long PLAIN_PERIOD = 10_000_000_000L;
    private static final int PLAIN_STEP = 5;
    private static final long PLAIN_LEAST = 1_000_000_000L;
    private static final long RATE_WINDOW = 3_000_000_000L;
    private static final int BAR = 16;
    private static final DateTimeFormatter CLOCK = DateTimeFormatter.ofPattern("HH:mm:ss", Locale.ROOT);

    private record Sample(long nanos, long bytes) {}

    private final String verb;
    private final String what;
    private final PrintStream err;
    private final boolean quiet;
    private final boolean terminal;
    private final LongSupplier clock;
    private final Deque<Sample> window = new ArrayDeque<>();
    private ProgressState shown;
    private boolean open;
    private long shownAt;
    private int shownPercent;
    private int percent;

    Progress(String verb, String what, PrintStream err, boolean quiet, boolean terminal, LongSupplier nanoClock) {
        this.verb = verb;
        this.what = what;
        this.err = err;
        this.quiet = quiet;
        this.terminal = terminal;
        this.clock = nanoClock;
    }

    /** Takes a new state, and shows it when it is time. */
    public void update(ProgressState state) {
        long now = clock.getAsLong();
        window.addLast(new Sample(now, state.doneBytes()));
        while (window.size() > 2 && now - window.getFirst().nanos > RATE_WINDOW) {
            window.removeFirst();
        }
        if (state.totalBytes() > 0) {
            percent = Math.max(percent, Units.percent(state.doneBytes(), state.totalBytes()));
        }
        if (!quiet && due(now)) {
            show(now, state);
        }
    }

    /** Shows the last state whatever the time, unless that was shown already, and ends the line. */
    public void finish(ProgressState state) {
        update(state);
        if (!quiet && !state.equals(shown)) {
            show(clock.getAsLong(), state);
        }
        close();
    }

    private boolean due(long now) {
        if (shown == null) {
            return true;
        }
        return terminal
                ? now - shownAt >= TERMINAL_PERIOD
                : now - shownAt >= PLAIN_PERIOD
                        || (percent >= shownPercent + PLAIN_STEP && now - shownAt >= PLAIN_LEAST);
    }

    private void show(long now, ProgressState state) {
        shown = state;
        shownAt = now;
        shownPercent = percent;
        if (terminal) {
            err.print("\r\u001b[K" + bar(state));
            err.flush();
            open = true;
        } else {
            err.println(plain(state));
        }
    }

    private String bar(ProgressState s) {
        StringBuilder line = new StringBuilder(what);
        line.append(String.format(Locale.ROOT, "  %3d%% ▕%s▏ ", percent, blocks(percent / 100.0)));
        line.append(amounts(s)).append("  ").append(speed());
        if (stalled(s)) {
            line.append("  stalled ").append(Units.brief(s.stalled()));
            line.append(s.waitingFor().isEmpty() ? "" : ", waiting for " + s.waitingFor());
        } else {
            line.append("  eta ").append(eta(s));
        }
        line.append(s.originBytes() < 0 ? "" : "  origin " + Units.gib(s.originBytes()));
        line.append(s.peerBytes() < 0 ? "" : "  peers " + Units.gib(s.peerBytes()));
        line.append("  files ").append(s.filesDone()).append('/').append(s.files());
        return line.append(s.retries() > 0 ? "  retries " + s.retries() : "").toString();
    }

    private String plain(ProgressState s) {
        StringBuilder line =
                new StringBuilder(LocalTime.now(ZoneId.systemDefault()).format(CLOCK));
        line.append(' ').append(verb).append(' ').append(what).append(' ').append(amounts(s));
        line.append(' ').append(percent).append("% ").append(speed());
        if (stalled(s)) {
            line.append(" stalled=").append(Units.brief(s.stalled()));
            line.append(s.waitingFor().isEmpty() ? "" : " waiting-for=" + s.waitingFor());
        } else {
            line.append(" eta=").append(eta(s));
        }
        line.append(s.originBytes() < 0 ? "" : " origin=" + Units.gib(s.originBytes()));
        line.append(s.peerBytes() < 0 ? "" : " peers=" + Units.gib(s.peerBytes()));
        line.append(" files=").append(s.filesDone()).append('/').append(s.files());
        return line.append(s.retries() > 0 ? " retries=" + s.retries() : "").toString();
    }

    private static boolean stalled(ProgressState s) {
        return s.stalled().toSeconds() > 0;
    }

    private static String amounts(ProgressState s) {
        return Units.gib(s.doneBytes()) + "/" + (s.totalBytes() > 0 ? Units.gib(s.totalBytes()) : "?") + " GiB";
    }

    private String speed() {
        return Units.gib(rate()) + " GiB/s";
    }

    private long rate() {
        Sample first = window.getFirst();
        Sample last = window.getLast();
        long nanos = last.nanos - first.nanos;
        return nanos == 0 ? 0 : (long) (Math.max(0, last.bytes - first.bytes) * 1e9 / nanos);
    }

    private String eta(ProgressState s) {
        long rate = rate();
        return rate < 1 || s.totalBytes() <= 0
                ? "?"
                : Units.brief(Duration.ofSeconds(Math.ceilDiv(s.totalBytes() - s.doneBytes(), rate)));
    }

    private static String blocks(double part) {
        int eighths = (int) (part * BAR * 8);
        String full = "█".repeat(eighths / 8);
        String edge = eighths % 8 == 0 ? "" : String.valueOf((char) ('█' + 8 - eighths % 8));
        return full + edge + " ".repeat(BAR - full.length() - edge.length());
    }

    /** Ends the line on a terminal. */
    @Override
    public void close() {
        if (open) {
            err.println();
            open = false;
        }
    }
}
