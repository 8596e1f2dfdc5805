/** Wiring and lifecycle: the daemon's main, the process that holds its mounts, and how the one starts the other. */
package io.penstock.cache.runtime;
