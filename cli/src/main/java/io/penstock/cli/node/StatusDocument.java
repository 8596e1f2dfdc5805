package io.penstock.cli.node;

import io.penstock.cache.control.v1.MountInfo;
import io.penstock.cache.control.v1.NodeStatus;
import io.penstock.cache.control.v1.OriginHealth;
import io.penstock.cache.control.v1.TierInfo;
import java.util.LinkedHashMap;
import java.util.Map;

/** A status as a document. */
final class StatusDocument {
    private StatusDocument() {}

    static Map<String, Object> fields(NodeStatus s) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("version", s.getDaemon().getVersion());
        fields.put("pid", s.getDaemon().getPid());
        fields.put("started", Shown.instant(s.getDaemon().getStarted()));
        fields.put("kernel", s.getKernel());
        fields.put("passthrough", s.getPassthrough());
        fields.put("resend", s.getResend());
        fields.put("held", s.getHeld());
        fields.put("takeovers", s.getTakeovers());
        fields.put("cacheDirectory", s.getCacheDirectory());
        fields.put(
                "mounts", s.getMountsList().stream().map(StatusDocument::mount).toList());
        fields.put("tiers", s.getTiersList().stream().map(StatusDocument::tier).toList());
        fields.put(
                "prefetches", s.getPrefetchesList().stream().map(Shown::fields).toList());
        fields.put(
                "origins",
                s.getOriginsList().stream().map(StatusDocument::origin).toList());
        fields.put("errors", s.getErrorsList().stream().map(Shown::fields).toList());
        Map<String, Object> memory = new LinkedHashMap<>();
        memory.put("budgetBytes", s.getMemory().getBudgetBytes());
        memory.put("reservedBytes", s.getMemory().getReservedBytes());
        memory.put("residentBytes", s.getMemory().getResidentBytes());
        fields.put("memory", memory);
        return fields;
    }

    private static Map<String, Object> mount(MountInfo m) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("id", m.getId());
        fields.put("mountPoint", m.getMountPoint());
        fields.put("snapshot", Shown.fields(m.getSnapshot()));
        fields.put("readers", m.getReaders());
        fields.put("mode", m.getMode());
        fields.put("tier", m.getTier());
        fields.put("mounted", Shown.instant(m.getMounted()));
        fields.put("readBytes", m.getReadBytes());
        fields.put("opensPlain", m.getOpensPlain());
        fields.put("opensPassthrough", m.getOpensPassthrough());
        fields.put("errors", m.getErrors());
        return fields;
    }

    private static Map<String, Object> tier(TierInfo t) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("name", t.getName());
        fields.put("directory", t.getDirectory());
        fields.put("quotaBytes", t.getQuotaBytes());
        fields.put("usedBytes", t.getUsedBytes());
        fields.put("roomBytes", t.getRoomBytes());
        fields.put("failure", t.getFailure().isEmpty() ? null : t.getFailure());
        return fields;
    }

    private static Map<String, Object> origin(OriginHealth o) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("origin", o.getOrigin());
        fields.put("ok", o.getOk());
        fields.put("latencySeconds", o.getLatencyNanos() / 1e9);
        fields.put("requests", o.getRequests());
        fields.put("readBytes", o.getReadBytes());
        fields.put("retries", o.getRetries());
        fields.put("lastError", o.hasLastError() ? Shown.fields(o.getLastError()) : null);
        return fields;
    }
}
