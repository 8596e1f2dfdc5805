package io.penstock.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Imports go one way. The table is the picture in docs/ARCHITECTURE.md. */
final class ArchitectureTest {
    private static final String CACHE = "io.penstock.cache.";
    private static final Set<String> EVERYWHERE = Set.of("model", "config", "metrics", "linux", "plan");

    /** Part of the cache runtime -> the parts it may import, besides itself and {@link #EVERYWHERE}. */
    private static final Map<String, Set<String>> MAY_IMPORT = Map.ofEntries(
            Map.entry("model", Set.of()),
            Map.entry("config", Set.of("model")),
            Map.entry("metrics", Set.of("model")),
            Map.entry("plan", Set.of("model")),
            Map.entry("linux", Set.of()),
            Map.entry("command", Set.of()),
            Map.entry("logs", Set.of()),
            Map.entry("source", Set.of()),
            Map.entry("chunk", Set.of()),
            Map.entry("control", Set.of()),
            Map.entry("read", Set.of("source", "chunk")),
            Map.entry("mount", Set.of("read")),
            Map.entry("control.server", Set.of("control", "source", "chunk", "read", "mount")),
            Map.entry(
                    "runtime",
                    Set.of(
                            "source",
                            "chunk",
                            "read",
                            "mount",
                            "control",
                            "control.server",
                            "command",
                            "logs",
                            "runtime")));

    private static final JavaClasses OURS = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .withImportOption(location -> !location.contains("-tests.jar"))
            .importPackages("io.penstock");

    @TestFactory
    List<DynamicTest> each_part_imports_only_what_lies_before_it() {
        return MAY_IMPORT.entrySet().stream()
                .map(part -> DynamicTest.dynamicTest(part.getKey(), () -> check(part.getKey(), part.getValue())))
                .toList();
    }

    private static void check(String part, Set<String> allowed) {
        classes()
                .that(belongTo(part))
                .should()
                .onlyDependOnClassesThat(DescribedPredicate.describe(
                        "lie in " + new TreeSet<>(allowed) + " or outside the cache runtime", target -> {
                            String other = partOf(target);
                            return other == null
                                    || other.equals(part)
                                    || (EVERYWHERE.contains(other) && !EVERYWHERE.contains(part))
                                    || allowed.contains(other);
                        }))
                .allowEmptyShould(true)
                .check(OURS);
    }

    @Test
    void every_class_of_the_cache_runtime_belongs_to_a_part() {
        List<String> homeless = OURS.stream()
                .filter(c -> c.getPackageName().startsWith(CACHE))
                .filter(c -> !MAY_IMPORT.containsKey(partOf(c)))
                .map(JavaClass::getName)
                .toList();
        assertThat(homeless).isEmpty();
        assertThat(OURS.size()).as("classes seen").isGreaterThan(50);
    }

    @Test
    void nothing_in_the_cache_runtime_knows_the_launcher_or_the_benchmarks() {
        noClasses()
                .that()
                .resideInAPackage("io.penstock.cache..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.penstock.cli..", "io.penstock.bench..")
                .check(OURS);
    }

    @Test
    void the_csi_driver_knows_of_the_cache_runtime_only_how_to_talk_to_it() {
        classes()
                .that()
                .resideInAPackage("io.penstock.csi..")
                .should()
                .onlyDependOnClassesThat(DescribedPredicate.describe(
                        "lie in control, command, logs, " + EVERYWHERE + " or outside of the cache runtime", target -> {
                            String part = partOf(target);
                            boolean ours = target.getPackageName().startsWith("io.penstock.");
                            return part == null
                                    ? !ours || target.getPackageName().startsWith("io.penstock.csi")
                                    : EVERYWHERE.contains(part)
                                            || Set.of("control", "command", "logs")
                                                    .contains(part);
                        }))
                .check(OURS);
    }

    @Test
    void the_loader_knows_of_the_cache_runtime_only_its_conventions_and_how_to_talk_to_it() {
        classes()
                .that()
                .resideInAPackage("io.penstock.gpu..")
                .should()
                .onlyDependOnClassesThat(DescribedPredicate.describe(
                        "lie in control, command, logs, " + EVERYWHERE + " or outside of the cache runtime", target -> {
                            String part = partOf(target);
                            boolean ours = target.getPackageName().startsWith("io.penstock.");
                            return part == null
                                    ? !ours || target.getPackageName().startsWith("io.penstock.gpu")
                                    : EVERYWHERE.contains(part)
                                            || Set.of("control", "command", "logs")
                                                    .contains(part);
                        }))
                .check(OURS);
    }

    @Test
    void the_sidecar_knows_of_the_cache_runtime_only_how_to_talk_to_it() {
        noClasses()
                .that()
                .resideInAPackage("io.penstock.sidecar..")
                .should()
                .dependOnClassesThat(DescribedPredicate.describe(
                        "lie beyond control, command and " + EVERYWHERE, target -> {
                            String part = partOf(target);
                            boolean ours = target.getPackageName().startsWith("io.penstock.");
                            return part == null
                                    ? ours && !target.getPackageName().startsWith("io.penstock.sidecar")
                                    : !EVERYWHERE.contains(part) && !part.equals("control") && !part.equals("command");
                        }))
                .check(OURS);
    }

    @Test
    void cuda_stays_in_the_package_of_devices() {
        noClasses()
                .that()
                .resideOutsideOfPackage("io.penstock.gpu.device..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("jcuda..")
                .check(OURS);
    }

    @Test
    void the_csi_driver_starts_no_process() {
        noClasses()
                .that()
                .resideInAPackage("io.penstock.csi..")
                .should()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.lang.ProcessBuilder")
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.lang.Process")
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("io.penstock.cache.linux.ChildProcess")
                .check(OURS);
    }

    @Test
    void foreign_functions_stay_in_the_linux_package_and_the_kernel_protocol() {
        noClasses()
                .that()
                .resideOutsideOfPackages(
                        "io.penstock.cache.linux..", "io.penstock.cache.mount.fuse..", "io.penstock.gpu.device..")
                .should()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.lang.foreign.Linker")
                .check(OURS);
    }

    @Test
    void the_sdk_of_a_store_stays_in_its_own_package() {
        noClasses()
                .that()
                .resideOutsideOfPackage("io.penstock.cache.source.s3..")
                .and()
                .resideInAPackage("io.penstock.cache..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("software.amazon..")
                .check(OURS);
    }

    private static DescribedPredicate<JavaClass> belongTo(String part) {
        return DescribedPredicate.describe("belong to " + part, c -> part.equals(partOf(c)));
    }

    /** The longest entry of the table that the class's package lies in; null outside the cache runtime. */
    private static String partOf(JavaClass c) {
        if (!c.getPackageName().startsWith(CACHE)) {
            return null;
        }
        String rest = c.getPackageName().substring(CACHE.length());
        String best = rest;
        int length = -1;
        for (String part : MAY_IMPORT.keySet()) {
            if ((rest.equals(part) || rest.startsWith(part + ".")) && part.length() > length) {
                best = part;
                length = part.length();
            }
        }
        return best;
    }
}
