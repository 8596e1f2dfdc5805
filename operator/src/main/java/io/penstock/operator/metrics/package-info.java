/** What the operator tells of itself: every metric in {@link io.penstock.operator.metrics.OperatorMetrics}. */
package io.penstock.operator.metrics;
