/** Webhooks: what the CRDs cannot refuse is refused here, and pods that mount a Dataset are drawn to the nodes that have it. */
package io.penstock.operator.admission;
