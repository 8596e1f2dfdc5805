/** What every metric is called and means. No library is needed to know it: documents and dashboards are checked against it. */
package io.penstock.cache.metrics;
