package io.penstock.operator.admission;

import java.util.Map;
import java.util.Optional;

/** What is known of the Datasets that claims belong to. Answers from memory; called from several threads. */
@FunctionalInterface
public interface BytesOnNodes {
    /**
     * Bytes that are stored and checked, by name of the node.
     *
     * @param claim name of the claim that a pod mounts
     * @return empty when the claim is no Dataset's
     */
    Optional<Map<String, Long>> of(String namespace, String claim);
}
