package io.penstock.cache.control;

import io.penstock.cache.control.v1.PlanSpec;
import java.util.List;

/** Plans by the names that people write. */
public final class PlanSpecs {
    /** Where a plan's name is wanted: no prefetch. */
    public static final String NONE = "none";

    private static final String TRACE = "trace";

    /** Every plan that has a name. */
    public static final List<String> NAMES = List.of("all", "reading-order", TRACE);

    private PlanSpecs() {}

    /** The plan of that name, whether or not there is one: that is for the daemon to say. */
    public static PlanSpec named(String name) {
        return name.equals(TRACE)
                ? PlanSpec.newBuilder().setTrace("").build()
                : PlanSpec.newBuilder().setNamed(name).build();
    }
}
