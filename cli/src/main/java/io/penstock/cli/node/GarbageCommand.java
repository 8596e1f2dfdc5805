package io.penstock.cli.node;

import io.penstock.cache.command.Consent;
import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.command.Output;
import io.penstock.cache.command.Table;
import io.penstock.cache.command.Units;
import io.penstock.cache.config.DataSize;
import io.penstock.cache.control.ControlClient;
import io.penstock.cache.control.v1.CollectGarbageRequest;
import io.penstock.cache.control.v1.CollectGarbageResponse;
import io.penstock.cache.control.v1.GarbageObject;
import io.penstock.cache.model.ErrorCode;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "gc", description = "Removes stored bytes that no snapshot needs; says what and how much, then asks.")
final class GarbageCommand implements Callable<Integer> {
    @Mixin
    private GlobalOptions global;

    @Mixin
    private Consent consent;

    @Option(
            names = "--target",
            paramLabel = "SIZE",
            converter = SizeConverter.class,
            description = "Also removes what was not used for longest, until at most this much is used.")
    private DataSize target = new DataSize(0);

    @Override
    public Integer call() throws IOException {
        Output output = global.output();
        try (ControlClient client = Daemon.connect(global)) {
            CollectGarbageResponse planned = client.collectGarbage(request(true));
            if (consent.dryRun() || planned.getObjects() == 0) {
                tell(output, planned, true);
                return ErrorCode.Exit.DONE;
            }
            String what = planned.getObjects() + " objects, " + Units.size(planned.getFreedBytes());
            if (!consent.given(output, "Remove " + what + "?")) {
                output.note("nothing was removed");
                return ErrorCode.Exit.DONE;
            }
            tell(output, client.collectGarbage(request(false)), false);
            return ErrorCode.Exit.DONE;
        }
    }

    private CollectGarbageRequest request(boolean dryRun) {
        return CollectGarbageRequest.newBuilder()
                .setDryRun(dryRun)
                .setTargetUsedBytes(target.bytes())
                .build();
    }

    private void tell(Output output, CollectGarbageResponse r, boolean planned) {
        output.result(
                "GarbageResult",
                () -> fields(r, planned),
                () -> r.getGarbageList().stream().map(GarbageObject::getObject).toList(),
                () -> lines(r, planned, output.wide()));
    }

    private static Map<String, Object> fields(CollectGarbageResponse r, boolean planned) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("dryRun", planned);
        fields.put("objects", r.getObjects());
        fields.put("freedBytes", r.getFreedBytes());
        fields.put(
                "items",
                r.getGarbageList().stream()
                        .map(g -> {
                            Map<String, Object> item = new LinkedHashMap<>();
                            item.put("object", g.getObject());
                            item.put("bytes", g.getBytes());
                            item.put("lastUsed", g.getLastUsed() == 0 ? null : Shown.instant(g.getLastUsed()));
                            return item;
                        })
                        .toList());
        return fields;
    }

    private static List<String> lines(CollectGarbageResponse r, boolean planned, boolean wide) {
        List<String> lines = new ArrayList<>();
        if (r.getGarbageCount() > 0 && (planned || wide)) {
            Table table = new Table().column("OBJECT").number("GiB").column("USED");
            Instant now = Instant.now();
            r.getGarbageList()
                    .forEach(g -> table.row(g.getObject(), Units.gib(g.getBytes()), Shown.ago(g.getLastUsed(), now)));
            lines.addAll(table.lines(wide));
        }
        lines.add((planned ? "would free " : "freed ") + Units.size(r.getFreedBytes()) + " in " + r.getObjects()
                + " objects");
        return lines;
    }
}
