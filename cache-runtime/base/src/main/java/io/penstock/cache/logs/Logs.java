package io.penstock.cache.logs;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.JsonEncoder;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.OutputStreamAppender;
import ch.qos.logback.core.encoder.Encoder;
import ch.qos.logback.core.encoder.EncoderBase;
import ch.qos.logback.core.rolling.FixedWindowRollingPolicy;
import ch.qos.logback.core.rolling.RollingFileAppender;
import ch.qos.logback.core.rolling.SizeBasedTriggeringPolicy;
import ch.qos.logback.core.util.FileSize;
import io.penstock.cache.config.Config;
import io.penstock.cache.logs.LogKeys.LogFormat;
import io.penstock.cache.logs.LogKeys.LogLevel;
import java.nio.file.Path;
import java.util.Locale;
import org.slf4j.LoggerFactory;

/**
 * Where and how much a process logs, as {@link LogKeys} say: what is ours from {@code log.level} on, others warn. Set in code: a
 * configuration file would cost time at every start. Thread-safe.
 */
public final class Logs {
    private static final String OURS = "io.penstock";
    /** Warns with every connection that a Unix socket has no SO_KEEPALIVE, which gRPC asks for. */
    private static final String BOOTSTRAP = "io.netty.bootstrap";

    private static final String PATTERN = "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %-5level [%thread] %logger{0}: %msg%n";
    private static final String LARGEST_FILE = "8MB";
    private static final int OLD_FILES = 3;

    private Logs() {}

    /** Warnings to stderr. */
    public static void quiet(LoggerContext context) {
        ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
        console.setTarget("System.err");
        start(context, console, LogFormat.TEXT, LogLevel.WARN);
    }

    /** To stderr: for a service that a person has started in the foreground. */
    public static void toStderr(Config config) {
        ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
        console.setTarget("System.err");
        start(context(), console, config);
    }

    /** To stdout, a line for each event: for a container, whose output somebody collects. */
    public static void toStdout(Config config) {
        ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
        console.setTarget("System.out");
        start(context(), console, config);
    }

    /** To a file of bounded size. */
    public static void toFile(Path file, Config config) {
        LoggerContext context = context();
        RollingFileAppender<ILoggingEvent> appender = new RollingFileAppender<>();
        appender.setContext(context);
        appender.setFile(file.toString());
        FixedWindowRollingPolicy rolling = new FixedWindowRollingPolicy();
        rolling.setContext(context);
        rolling.setParent(appender);
        rolling.setFileNamePattern(file + ".%i");
        rolling.setMaxIndex(OLD_FILES);
        rolling.start();
        SizeBasedTriggeringPolicy<ILoggingEvent> trigger = new SizeBasedTriggeringPolicy<>();
        trigger.setContext(context);
        trigger.setMaxFileSize(FileSize.valueOf(LARGEST_FILE));
        trigger.start();
        appender.setRollingPolicy(rolling);
        appender.setTriggeringPolicy(trigger);
        start(context, appender, config);
    }

    private static void start(LoggerContext context, OutputStreamAppender<ILoggingEvent> appender, Config config) {
        start(context, appender, config.get(LogKeys.FORMAT), config.get(LogKeys.LEVEL));
    }

    private static void start(
            LoggerContext context, OutputStreamAppender<ILoggingEvent> appender, LogFormat format, LogLevel level) {
        appender.setContext(context);
        appender.setEncoder(encoder(context, format));
        appender.start();
        Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        root.setLevel(Level.WARN);
        root.addAppender(appender);
        context.getLogger(OURS).setLevel(level(level.name()));
        context.getLogger(BOOTSTRAP).setLevel(Level.ERROR);
    }

    private static Encoder<ILoggingEvent> encoder(LoggerContext context, LogFormat format) {
        EncoderBase<ILoggingEvent> encoder;
        if (format == LogFormat.JSON) {
            encoder = new JsonEncoder();
        } else {
            PatternLayoutEncoder pattern = new PatternLayoutEncoder();
            pattern.setPattern(PATTERN);
            encoder = pattern;
        }
        encoder.setContext(context);
        encoder.start();
        return encoder;
    }

    /**
     * Changes a level while the process runs.
     *
     * @param logger empty: all of ours
     * @return the level until now
     * @throws IllegalArgumentException there is no such level
     */
    public static String level(String logger, String level) {
        Logger changed =
                ((LoggerContext) LoggerFactory.getILoggerFactory()).getLogger(logger.isEmpty() ? OURS : logger);
        String before = changed.getEffectiveLevel().toString().toLowerCase(Locale.ROOT);
        changed.setLevel(level(level));
        return before;
    }

    private static Level level(String name) {
        Level level = Level.toLevel(name, null);
        if (level == null) {
            throw new IllegalArgumentException("there is no log level '" + name + "'");
        }
        return level;
    }

    private static LoggerContext context() {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        context.reset();
        return context;
    }
}
