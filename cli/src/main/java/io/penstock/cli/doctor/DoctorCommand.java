package io.penstock.cli.doctor;

import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.Output;
import io.penstock.cache.command.Output.Paint;
import io.penstock.cache.config.Config;
import io.penstock.cache.config.Directories;
import io.penstock.cache.control.StateDirectory;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(name = "doctor", description = "Looks at everything that can be wrong on this node. Changes nothing.")
public final class DoctorCommand implements Callable<Integer> {
    @Mixin
    private GlobalOptions global;

    @Override
    public Integer call() throws Exception {
        Config config = global.config();
        List<Check> checks = new ArrayList<>(MachineChecks.ofThisMachine().all());
        checks.addAll(new DirectoryChecks(config.get(Directories.CACHE), config.get(Directories.STATE)).all());
        checks.addAll(DaemonChecks.ask(new StateDirectory(config.get(Directories.STATE)).controlSocket())
                .all());
        return run(checks, global.output());
    }

    static int run(List<Check> checks, Output output) throws Exception {
        List<Finding> findings = new ArrayList<>();
        for (Check check : checks) {
            Finding finding = look(check);
            findings.add(finding);
            lines(findings.size(), checks.size(), finding, output).forEach(output::line);
        }
        output.line("");
        output.line("%d ok, %d failed, %d skipped"
                .formatted(
                        count(findings, Finding.State.OK),
                        count(findings, Finding.State.FAIL),
                        count(findings, Finding.State.SKIP)));
        if (!output.forPeople()) {
            output.result("DoctorReport", () -> fields(findings), () -> failed(findings), List::of);
        }
        return count(findings, Finding.State.FAIL) == 0 ? ErrorCode.Exit.DONE : ErrorCode.Exit.FAILED;
    }

    private static Finding look(Check check) throws Exception {
        try {
            return check.look();
        } catch (PenstockException e) {
            return new Finding(Finding.State.FAIL, e.getMessage(), e.code(), "", e.remedy(), e.retryable());
        }
    }

    private static long count(List<Finding> findings, Finding.State state) {
        return findings.stream().filter(f -> f.state() == state).count();
    }

    private static List<String> failed(List<Finding> findings) {
        return findings.stream()
                .filter(f -> f.state() == Finding.State.FAIL)
                .map(f -> f.code().code())
                .toList();
    }

    private static List<String> lines(int n, int all, Finding f, Output output) {
        String head = "[%2d/%d] ".formatted(n, all);
        String indent = " ".repeat(head.length());
        return switch (f.state()) {
            case OK -> List.of(head + output.paint(Paint.GOOD, "ok  ") + "  " + f.what());
            case SKIP -> List.of(head + output.paint(Paint.FAINT, "skip") + "  " + f.what());
            case FAIL ->
                List.of(
                        head + output.paint(Paint.BAD, "FAIL") + "  " + f.code().code() + " " + f.what(),
                        indent + "cause  " + f.cause() + "     retry helps  " + (f.retryHelps() ? "maybe" : "no"),
                        indent + "fix    " + f.fix());
        };
    }

    private static Map<String, Object> fields(List<Finding> findings) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("ok", count(findings, Finding.State.OK));
        fields.put("failed", count(findings, Finding.State.FAIL));
        fields.put("skipped", count(findings, Finding.State.SKIP));
        fields.put("checks", findings.stream().map(DoctorCommand::fields).toList());
        return fields;
    }

    private static Map<String, Object> fields(Finding f) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("state", f.state().name().toLowerCase(Locale.ROOT));
        fields.put("what", f.what());
        fields.put("code", f.code() == null ? null : f.code().code());
        fields.put("cause", f.cause());
        fields.put("fix", f.fix());
        fields.put("retryHelps", f.retryHelps());
        return fields;
    }
}
