package io.penstock.cli;

import io.penstock.cache.command.Explanation;
import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.Output;
import io.penstock.cache.command.Table;
import io.penstock.cache.config.Unknown;
import io.penstock.cache.control.ControlErrors;
import io.penstock.cache.linux.Errno;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.mount.Errnos;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(name = "explain", description = "What an error code means, its likely causes in order, and what to type.")
final class ExplainCommand implements Callable<Integer> {
    @Mixin
    private GlobalOptions global;

    @Parameters(
            arity = "0..1",
            paramLabel = "CODE",
            description = "A code such as PEN-0402; without one, all are listed.")
    private String code;

    @Override
    public Integer call() throws PenstockException {
        Output output = global.output();
        if (code == null) {
            list(output);
            return ErrorCode.Exit.DONE;
        }
        String wanted = code.toUpperCase(java.util.Locale.ROOT);
        ErrorCode found = ErrorCode.byCode(wanted.startsWith("PEN-") ? wanted : "PEN-" + wanted)
                .orElseThrow(() -> unknown(wanted));
        Explanation e = Explanation.of(found);
        output.result("Explanation", () -> fields(e), () -> List.of(found.code()), () -> lines(e));
        return ErrorCode.Exit.DONE;
    }

    private static void list(Output output) {
        List<ErrorCode> all = Arrays.asList(ErrorCode.values());
        output.result(
                "ExplanationList",
                () -> Map.of(
                        "items",
                        all.stream()
                                .map(Explanation::of)
                                .map(ExplainCommand::fields)
                                .toList()),
                () -> all.stream().map(ErrorCode::code).toList(),
                () -> {
                    Table table = new Table().column("CODE").number("EXIT").column("MEANS");
                    all.forEach(c -> table.row(c.code(), c.exit(), c.title()));
                    return table.lines(output.wide());
                });
    }

    private static PenstockException unknown(String word) {
        List<String> codes =
                Arrays.stream(ErrorCode.values()).map(ErrorCode::code).toList();
        return new PenstockException(
                ErrorCode.USAGE,
                "there is no error code " + word,
                Unknown.nearest(word, codes)
                                .map(n -> "Did you mean " + n + "? ")
                                .orElse("") + "All: penstock explain");
    }

    private static Map<String, Object> fields(Explanation e) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("code", e.code().code());
        fields.put("title", e.code().title());
        fields.put("meaning", e.meaning());
        fields.put("exit", e.code().exit());
        fields.put("errno", errno(e.code()));
        fields.put("grpc", grpc(e.code()));
        fields.put("causes", e.causes());
        fields.put("commands", e.commands());
        return fields;
    }

    private static List<String> lines(Explanation e) {
        List<String> lines = new ArrayList<>();
        lines.add(e.code().code() + "  " + e.code().title());
        lines.add("");
        lines.addAll(Wrapped.lines(e.meaning(), "  "));
        lines.add("");
        lines.add("  a reader sees  " + errno(e.code()));
        lines.add("  gRPC           " + grpc(e.code()));
        lines.add("  exit status    " + e.code().exit());
        lines.add("");
        lines.add("Likely causes, in order");
        int n = 1;
        for (String cause : e.causes()) {
            lines.addAll(Wrapped.item("  " + n++ + "  ", cause));
        }
        lines.add("");
        lines.add("Commands");
        e.commands().forEach(c -> lines.add("  " + c));
        return lines;
    }

    static String grpc(ErrorCode code) {
        return ControlErrors.statusOf(code).name();
    }

    /** What open(2) or read(2) in a mount gives for the error. */
    static String errno(ErrorCode code) {
        return Errno.name(Errnos.of(code));
    }
}
