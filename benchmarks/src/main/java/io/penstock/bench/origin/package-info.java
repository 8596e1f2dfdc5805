/**
 * A model of an object store's network, put in front of a real S3 server: time to the first byte, a cap per connection,
 * a cap of the link. It counts what passes. Measurements are held against its limits, so it must neither give more
 * than they say nor cost much itself.
 */
package io.penstock.bench.origin;
