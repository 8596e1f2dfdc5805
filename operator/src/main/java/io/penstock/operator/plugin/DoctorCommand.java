package io.penstock.operator.plugin;

import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.Output;
import io.penstock.cache.command.Output.Paint;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
        name = "doctor",
        description = {
            "Looks at the installation, the runtimes and the Datasets of a namespace; or at one pod, and all that it needs:",
            "claim, volume, Dataset, runtime, driver and daemon of its node, origin. Changes nothing."
        })
final class DoctorCommand implements Callable<Integer> {
    @Mixin
    private GlobalOptions global;

    @Mixin
    private ClusterOptions options;

    @Parameters(arity = "0..1", paramLabel = "pod/NAME", description = "A pod; without one, the installation.")
    private String pod;

    @Override
    public Integer call() throws PenstockException {
        try (Cluster cluster = options.connect()) {
            List<Finding> findings = pod == null
                    ? new InstallationChecks(cluster).all()
                    : new PodWalk(cluster, cluster.namespace(), pod.replaceFirst("^pods?/", "")).walk();
            return tell(findings, global.output());
        }
    }

    static int tell(List<Finding> findings, Output output) {
        int n = 0;
        for (Finding finding : findings) {
            lines(++n, findings.size(), finding, output).forEach(output::line);
        }
        output.line("");
        output.line("%d ok, %d failed, %d skipped"
                .formatted(
                        count(findings, Finding.State.OK),
                        count(findings, Finding.State.FAIL),
                        count(findings, Finding.State.SKIP)));
        if (!output.forPeople()) {
            output.result(
                    "DoctorReport",
                    () -> fields(findings),
                    () -> findings.stream()
                            .filter(f -> f.state() == Finding.State.FAIL)
                            .map(Finding::code)
                            .toList(),
                    List::of);
        }
        return count(findings, Finding.State.FAIL) == 0 ? ErrorCode.Exit.DONE : ErrorCode.Exit.FAILED;
    }

    private static long count(List<Finding> findings, Finding.State state) {
        return findings.stream().filter(f -> f.state() == state).count();
    }

    private static List<String> lines(int n, int all, Finding f, Output output) {
        String head = "[%2d/%d] ".formatted(n, all);
        String indent = " ".repeat(head.length());
        return switch (f.state()) {
            case OK -> List.of(head + output.paint(Paint.GOOD, "ok  ") + "  " + f.what());
            case SKIP -> List.of(head + output.paint(Paint.FAINT, "skip") + "  " + f.what());
            case FAIL ->
                List.of(
                        head + output.paint(Paint.BAD, "FAIL") + "  " + f.code() + " " + f.what(),
                        indent + "cause  " + f.cause() + "     retry helps  " + (f.retry() ? "maybe" : "no"),
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
        fields.put("code", f.code());
        fields.put("cause", f.cause());
        fields.put("fix", f.fix());
        fields.put("retryHelps", f.retry());
        return fields;
    }
}
