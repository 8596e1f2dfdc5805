/** The custom resources of {@code cache.penstock.io/v1alpha1}. The CRDs in {@code deploy/chart/crds} are generated from these. */
package io.penstock.operator.api;
