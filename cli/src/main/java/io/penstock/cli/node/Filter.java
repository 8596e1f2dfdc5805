package io.penstock.cli.node;

import io.penstock.cache.config.DataSize;
import io.penstock.cache.config.Durations;
import io.penstock.cache.control.v1.SnapshotInfo;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which snapshots are listed: terms joined by commas, all of which must hold. {@code size>10GiB}, {@code here<100%},
 * {@code used>3d} (longer ago than), {@code pinned=yes}, {@code mounted=no}, {@code source~llama} (contains).
 */
record Filter(List<Term> terms) {
    private static final Pattern TERM = Pattern.compile("\\s*([a-z]+)\\s*(<=|>=|<|>|=|~)\\s*(.+?)\\s*");
    static final String HELP = "size>10GiB, here<100%%, used>3d, pinned=yes, mounted=no, source~llama";

    private interface Term {
        boolean holds(SnapshotInfo snapshot, Instant now);
    }

    static Filter parse(String text) throws PenstockException {
        if (text == null || text.isBlank()) {
            return new Filter(List.of());
        }
        Term[] terms = new Term[0];
        for (String term : text.split(",", -1)) {
            terms = Arrays.copyOf(terms, terms.length + 1);
            terms[terms.length - 1] = term(term);
        }
        return new Filter(List.of(terms));
    }

    boolean holds(SnapshotInfo snapshot, Instant now) {
        return terms.stream().allMatch(t -> t.holds(snapshot, now));
    }

    private static Term term(String text) throws PenstockException {
        Matcher m = TERM.matcher(text);
        if (!m.matches()) {
            throw bad(text);
        }
        String operator = m.group(2);
        String value = m.group(3);
        try {
            return switch (m.group(1)) {
                case "size" -> number(text, operator, DataSize.parse(value).bytes(), (s, now) -> s.getBytes());
                case "here" -> here(text, operator, value);
                case "used" -> age(text, operator, value);
                case "pinned" -> flag(text, operator, value, SnapshotInfo::getPinned);
                case "mounted" -> flag(text, operator, value, SnapshotInfo::getMounted);
                case "source" -> source(text, operator, value);
                default -> throw bad(text);
            };
        } catch (IllegalArgumentException e) {
            throw bad(text);
        }
    }

    private static Term here(String text, String operator, String value) throws PenstockException {
        if (value.endsWith("%")) {
            return number(
                    text,
                    operator,
                    Long.parseLong(value.substring(0, value.length() - 1)),
                    (s, now) -> s.getBytes() == 0 ? 100 : s.getHereBytes() * 100 / s.getBytes());
        }
        return number(text, operator, DataSize.parse(value).bytes(), (s, now) -> s.getHereBytes());
    }

    private static Term age(String text, String operator, String value) throws PenstockException {
        return number(
                text,
                operator,
                Durations.parse(value).toMillis(),
                (s, now) -> now.toEpochMilli() - Shown.instant(s.getLastUsed()).toEpochMilli());
    }

    private static Term source(String text, String operator, String value) throws PenstockException {
        return switch (operator) {
            case "~" -> (s, now) -> s.getSource().contains(value);
            case "=" -> (s, now) -> s.getSource().equals(value);
            default -> throw bad(text);
        };
    }

    private interface Amount {
        long of(SnapshotInfo snapshot, Instant now);
    }

    private static Term number(String text, String operator, long wanted, Amount amount) throws PenstockException {
        return switch (operator) {
            case "<" -> (s, now) -> amount.of(s, now) < wanted;
            case ">" -> (s, now) -> amount.of(s, now) > wanted;
            case "<=" -> (s, now) -> amount.of(s, now) <= wanted;
            case ">=" -> (s, now) -> amount.of(s, now) >= wanted;
            case "=" -> (s, now) -> amount.of(s, now) == wanted;
            default -> throw bad(text);
        };
    }

    private interface Trait {
        boolean of(SnapshotInfo snapshot);
    }

    private static Term flag(String text, String operator, String value, Trait trait) throws PenstockException {
        if (!operator.equals("=") || !(value.equals("yes") || value.equals("no"))) {
            throw bad(text);
        }
        return (s, now) -> trait.of(s) == value.equals("yes");
    }

    private static PenstockException bad(String text) {
        return new PenstockException(
                ErrorCode.USAGE,
                "the filter '" + text.strip() + "' cannot be read",
                "Write one such as " + HELP.replace("%%", "%") + "; join several by commas.");
    }
}
