package io.penstock.operator.admission;

import com.cronutils.model.CronType;
import com.cronutils.model.definition.CronDefinitionBuilder;
import com.cronutils.model.time.ExecutionTime;
import com.cronutils.parser.CronParser;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Optional;

/** Times of cron, in UTC. */
public final class Schedule {
    private static final CronParser PARSER = new CronParser(CronDefinitionBuilder.instanceDefinitionFor(CronType.UNIX));

    private final ExecutionTime times;

    /** @throws IllegalArgumentException when the text is not five fields of cron */
    public Schedule(String text) {
        this.times = ExecutionTime.forCron(PARSER.parse(text));
    }

    public static boolean parses(String text) {
        try {
            PARSER.parse(text);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** The first time after {@code instant}; empty: never. */
    public Optional<Instant> after(Instant instant) {
        return times.nextExecution(instant.atZone(ZoneOffset.UTC)).map(t -> t.toInstant());
    }
}
