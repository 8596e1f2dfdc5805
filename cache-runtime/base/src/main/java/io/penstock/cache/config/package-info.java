/**
 * Typed configuration. A {@link io.penstock.cache.config.Key} stands beside the code that uses it; a
 * {@link io.penstock.cache.config.Config} holds one value for each key, and where it came from.
 */
package io.penstock.cache.config;
