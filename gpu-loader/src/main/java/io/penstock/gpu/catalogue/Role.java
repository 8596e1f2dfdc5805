package io.penstock.gpu.catalogue;

import java.util.Locale;

/** What a tensor is for. */
public enum Role {
    EMBEDDING,
    HEAD,
    NORM,
    ATTENTION,
    MLP,
    ROUTER,
    EXPERT,
    SHARED_EXPERT,
    OTHER;

    /** As in tables: {@code shared-expert}. */
    public String id() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
