package io.penstock.bench;

import io.penstock.cache.config.Bandwidth;
import io.penstock.cache.config.DataSize;
import io.penstock.cache.config.Durations;
import java.time.Duration;
import java.util.function.Function;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Options with units: {@code 2GiB}, {@code 60MB/s}, {@code 20ms}. */
public final class Quantities {
    private Quantities() {}

    private static <T> T parsed(Function<String, T> parse, String text) {
        try {
            return parse.apply(text);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException("'" + text + "': " + e.getMessage());
        }
    }

    public static final class Size implements ITypeConverter<DataSize> {
        @Override
        public DataSize convert(String value) {
            return parsed(DataSize::parse, value);
        }
    }

    public static final class Rate implements ITypeConverter<Bandwidth> {
        @Override
        public Bandwidth convert(String value) {
            return parsed(Bandwidth::parse, value);
        }
    }

    public static final class Time implements ITypeConverter<Duration> {
        @Override
        public Duration convert(String value) {
            return parsed(Durations::parse, value);
        }
    }
}
