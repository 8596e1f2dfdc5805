package io.penstock.operator.api;

/** Names that are part of the API. */
public final class Api {
    public static final String GROUP = "cache.penstock.io";
    public static final String VERSION = "v1alpha1";

    /** Name of the runtime that a Dataset without {@code runtimeRef} uses. */
    public static final String DEFAULT_RUNTIME = "default";

    /** Location of another Dataset: {@code dataset://NAMESPACE/NAME}. */
    public static final String REFERENCE = "dataset://";

    /** On every object that the operator makes for a Dataset: its name. */
    public static final String DATASET_LABEL = GROUP + "/dataset";

    /** Whatever is new in it has a Dataset of policy Manual or Follow resolved again. */
    public static final String REFRESH = GROUP + "/refresh";

    /** Taint of a node that has no driver yet. */
    public static final String NOT_READY = GROUP + "/not-ready";

    private Api() {}
}
