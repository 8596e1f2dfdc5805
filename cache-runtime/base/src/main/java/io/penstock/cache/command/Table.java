package io.penstock.cache.command;

import java.util.ArrayList;
import java.util.List;

/** Rows under headings, two spaces apart; columns of numbers stand to the right. Not thread-safe. */
public final class Table {
    private record Column(String heading, boolean right, boolean wideOnly) {}

    private final List<Column> columns = new ArrayList<>();
    private final List<String[]> rows = new ArrayList<>();

    /** Adds a column of words. */
    public Table column(String heading) {
        columns.add(new Column(heading, false, false));
        return this;
    }

    /** Adds a column of numbers. */
    public Table number(String heading) {
        columns.add(new Column(heading, true, false));
        return this;
    }

    /** Adds a column that only {@code -o wide} shows. */
    public Table wide(String heading) {
        columns.add(new Column(heading, false, true));
        return this;
    }

    /** Adds a row: one cell for each column, wide ones included. */
    public Table row(Object... cells) {
        if (cells.length != columns.size()) {
            throw new IllegalArgumentException(cells.length + " cells for " + columns.size() + " columns");
        }
        String[] row = new String[cells.length];
        for (int i = 0; i < cells.length; i++) {
            row[i] = oneLine(String.valueOf(cells[i]));
        }
        rows.add(row);
        return this;
    }

    public boolean isEmpty() {
        return rows.isEmpty();
    }

    /** The table as lines without trailing spaces. */
    public List<String> lines(boolean wide) {
        List<String> lines = new ArrayList<>(rows.size() + 1);
        int[] widths = new int[columns.size()];
        for (int c = 0; c < widths.length; c++) {
            widths[c] = columns.get(c).heading.length();
            for (String[] row : rows) {
                widths[c] = Math.max(widths[c], row[c].length());
            }
        }
        lines.add(line(columns.stream().map(Column::heading).toArray(String[]::new), widths, wide));
        rows.forEach(row -> lines.add(line(row, widths, wide)));
        return lines;
    }

    private String line(String[] cells, int[] widths, boolean wide) {
        StringBuilder line = new StringBuilder();
        for (int c = 0; c < cells.length; c++) {
            Column column = columns.get(c);
            if (column.wideOnly && !wide) {
                continue;
            }
            if (!line.isEmpty()) {
                line.append("  ");
            }
            String padding = " ".repeat(widths[c] - cells[c].length());
            line.append(column.right ? padding + cells[c] : cells[c] + padding);
        }
        return line.toString().stripTrailing();
    }

    /** Object names come from an origin: control characters must not reach a terminal. */
    private static String oneLine(String cell) {
        StringBuilder clean = null;
        for (int i = 0; i < cell.length(); i++) {
            if (Character.isISOControl(cell.charAt(i))) {
                clean = clean == null ? new StringBuilder(cell) : clean;
                clean.setCharAt(i, '?');
            }
        }
        return clean == null ? cell : clean.toString();
    }
}
