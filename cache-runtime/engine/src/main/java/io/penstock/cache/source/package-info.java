/**
 * Where bytes come from. An origin is behind one small interface, {@link io.penstock.cache.source.Source}; what is
 * special about S3, HTTP or files stays in its own package.
 */
package io.penstock.cache.source;
