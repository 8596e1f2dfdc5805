package io.penstock.operator.admission;

import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.fabric8.kubernetes.api.model.Toleration;
import io.penstock.operator.api.CacheRuntime;
import io.penstock.operator.api.CacheRuntimeSpec;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What the spec of a CacheRuntime must be beside what its CRD says. Each problem names the field and the remedy. */
public final class RuntimeRules {
    private static final long MIB = 1L << 20;
    private static final int LEAST_QUOTA = 64;
    private static final int LEAST_MEMORY = 16;
    private static final int DEFAULT_MEMORY = 256;
    /** Heap, direct memory beside chunks, and what Java itself takes. */
    private static final int BESIDE_CHUNKS = 256;

    /** Whose children are no place for a cache either. */
    private static final Set<Path> SYSTEM = Set.of(
            Path.of("/bin"),
            Path.of("/boot"),
            Path.of("/dev"),
            Path.of("/etc"),
            Path.of("/lib"),
            Path.of("/lib64"),
            Path.of("/proc"),
            Path.of("/root"),
            Path.of("/run"),
            Path.of("/sbin"),
            Path.of("/sys"),
            Path.of("/usr"),
            Path.of("/var/lib/kubelet"),
            Path.of("/var/lib/containerd"),
            Path.of("/var/lib/docker"),
            Path.of("/var/lib/etcd"),
            Path.of("/var/run"));

    /** Where directories of others lie side by side. */
    private static final Set<Path> SHARED = Set.of(
            Path.of("/"),
            Path.of("/home"),
            Path.of("/opt"),
            Path.of("/srv"),
            Path.of("/tmp"),
            Path.of("/var"),
            Path.of("/var/lib"),
            Path.of("/mnt"),
            Path.of("/media"));

    private RuntimeRules() {}

    public static List<String> problems(CacheRuntime runtime) {
        List<String> problems = new ArrayList<>();
        CacheRuntimeSpec spec = runtime.getSpec();
        if (spec.tiers() != null && !spec.tiers().isEmpty()) {
            tier(problems, spec.tiers().getFirst());
        }
        long memory = spec.memory() == null ? DEFAULT_MEMORY * MIB : bytes(spec.memory());
        if (memory < LEAST_MEMORY * MIB) {
            problems.add(
                    "spec.memory: must hold some chunks of 8 MiB; write 256Mi, or at least " + LEAST_MEMORY + "Mi");
        }
        if (spec.resources() != null) {
            resources(problems, spec.resources(), memory);
        }
        if (spec.nodes() != null && spec.nodes().tolerations() != null) {
            for (int i = 0; i < spec.nodes().tolerations().size(); i++) {
                toleration(
                        problems,
                        "spec.nodes.tolerations[" + i + "]",
                        spec.nodes().tolerations().get(i));
            }
        }
        if (spec.updateStrategy() != null) {
            strategy(problems, spec.updateStrategy());
        }
        return problems;
    }

    private static void tier(List<String> problems, CacheRuntimeSpec.Tier tier) {
        if (tier.path() != null) {
            Path path = Path.of(tier.path()).normalize();
            if (SHARED.contains(path) || SYSTEM.stream().anyMatch(path::startsWith)) {
                problems.add("spec.tiers[0].path: " + path
                        + " is used by others; name a directory of its own, like /var/lib/penstock");
            }
        }
        if (tier.quota() != null && bytes(tier.quota()) < LEAST_QUOTA * MIB) {
            problems.add("spec.tiers[0].quota: must hold some chunks of 8 MiB; write at least " + LEAST_QUOTA + "Mi");
        }
    }

    private static void resources(List<String> problems, ResourceRequirements resources, long memory) {
        Map<String, Quantity> limits = resources.getLimits() == null ? Map.of() : resources.getLimits();
        Map<String, Quantity> requests = resources.getRequests() == null ? Map.of() : resources.getRequests();
        requests.forEach((name, request) -> {
            Quantity limit = limits.get(name);
            if (limit != null && amount(request).compareTo(amount(limit)) > 0) {
                problems.add(
                        "spec.resources.requests." + name + ": is more than the limit; lower it, or raise the limit");
            }
        });
        Quantity limit = limits.get("memory");
        BigDecimal least = BigDecimal.valueOf(memory + BESIDE_CHUNKS * MIB);
        if (limit != null && amount(limit).compareTo(least) < 0) {
            problems.add("spec.resources.limits.memory: the daemon would be killed; write at least "
                    + least.longValue() / MIB + "Mi, which is spec.memory and " + BESIDE_CHUNKS + "Mi");
        }
    }

    private static void toleration(List<String> problems, String field, Toleration toleration) {
        String operator = toleration.getOperator() == null ? "Equal" : toleration.getOperator();
        if (!Set.of("Exists", "Equal").contains(operator)) {
            problems.add(field + ".operator: must be Exists or Equal");
        }
        if (operator.equals("Exists") && !isEmpty(toleration.getValue())) {
            problems.add(field + ".value: goes with operator Equal; leave it out");
        }
        if (operator.equals("Equal") && isEmpty(toleration.getKey())) {
            problems.add(field + ".key: is missing; name the taint, or write operator: Exists for all of them");
        }
        if (!isEmpty(toleration.getEffect())
                && !Set.of("NoSchedule", "PreferNoSchedule", "NoExecute").contains(toleration.getEffect())) {
            problems.add(field + ".effect: must be NoSchedule, PreferNoSchedule or NoExecute");
        }
    }

    private static boolean isEmpty(@Nullable String text) {
        return text == null || text.isEmpty();
    }

    private static void strategy(List<String> problems, CacheRuntimeSpec.UpdateStrategy strategy) {
        boolean readable = true;
        for (var value : List.of(
                new Named("spec.updateStrategy.maxSurge", strategy.maxSurge()),
                new Named("spec.updateStrategy.maxUnavailable", strategy.maxUnavailable()))) {
            if (!value.readable()) {
                problems.add(value.field + ": must be a number of nodes, or a share like 10%");
                readable = false;
            }
        }
        if (!readable) {
            return;
        }
        boolean surge = isSome(strategy.maxSurge());
        boolean unavailable = isSome(strategy.maxUnavailable());
        if (surge && unavailable) {
            problems.add("spec.updateStrategy: one of maxSurge and maxUnavailable must be 0; leave one out");
        }
        if (!surge && !unavailable && strategy.maxUnavailable() != null && strategy.maxSurge() != null) {
            problems.add("spec.updateStrategy: with both 0 no daemon could be replaced; write maxSurge: 10%");
        }
    }

    private record Named(String field, @Nullable IntOrString value) {
        boolean readable() {
            return value == null
                    || (value.getIntVal() != null && value.getIntVal() >= 0)
                    || (value.getStrVal() != null && value.getStrVal().matches("(100|[1-9]?[0-9])%"));
        }
    }

    private static boolean isSome(@Nullable IntOrString value) {
        return value != null
                && !(value.getIntVal() != null && value.getIntVal() == 0)
                && !"0%".equals(value.getStrVal());
    }

    private static long bytes(String quantity) {
        return amount(new Quantity(quantity)).longValue();
    }

    private static BigDecimal amount(Quantity quantity) {
        return Quantity.getAmountInBytes(quantity);
    }
}
