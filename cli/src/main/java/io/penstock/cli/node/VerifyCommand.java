package io.penstock.cli.node;

import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.Output;
import io.penstock.cache.command.Progress;
import io.penstock.cache.command.ProgressState;
import io.penstock.cache.command.Units;
import io.penstock.cache.control.ControlClient;
import io.penstock.cache.control.v1.VerifyProgress;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
        name = "verify",
        description =
                "Reads every stored byte against its checksum. Chunks that fail are dropped, and fetched again when read.")
final class VerifyCommand implements Callable<Integer> {
    @Mixin
    private GlobalOptions global;

    @Parameters(
            arity = "0..1",
            paramLabel = "SNAPSHOT",
            description = "A digest, a source or a mount point; without one, everything that is stored.")
    private String snapshot = "";

    @Override
    public Integer call() throws PenstockException, InterruptedException {
        Output output = global.output();
        List<String> bad = new ArrayList<>();
        VerifyProgress last;
        try (ControlClient client = Daemon.connect(global);
                Progress progress = output.progress("verify", snapshot.isEmpty() ? "all" : snapshot)) {
            last = client.verify(snapshot, p -> {
                bad.addAll(p.getBadObjectsList());
                progress.update(state(p));
            });
            progress.finish(state(last));
        }
        output.result("VerifyResult", () -> fields(last, bad), () -> bad, () -> lines(last, bad));
        return last.getBadChunks() == 0 ? ErrorCode.Exit.DONE : ErrorCode.CHECKSUM_MISMATCH.exit();
    }

    private static ProgressState state(VerifyProgress p) {
        return ProgressState.local(p.getVerifiedBytes(), p.getBytes(), p.getVerifiedObjects(), p.getObjects());
    }

    private static Map<String, Object> fields(VerifyProgress p, List<String> bad) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("objects", p.getVerifiedObjects());
        fields.put("bytes", p.getVerifiedBytes());
        fields.put("badChunks", p.getBadChunks());
        fields.put("badObjects", bad);
        return fields;
    }

    private static List<String> lines(VerifyProgress p, List<String> bad) {
        List<String> lines = new ArrayList<>();
        bad.forEach(o -> lines.add("bad  " + o));
        lines.add("verified  %d objects  %s  %d bad chunks%s"
                .formatted(
                        p.getVerifiedObjects(),
                        Units.size(p.getVerifiedBytes()),
                        p.getBadChunks(),
                        p.getBadChunks() == 0 ? "" : ", dropped: they are fetched again when read"));
        return lines;
    }
}
