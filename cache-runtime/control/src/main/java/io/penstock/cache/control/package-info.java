/**
 * How the rest of the world talks to the node daemon: gRPC over a Unix socket. Imports nothing of the cache but its
 * values, so that whoever only asks (commands, csi-driver, operator, sidecar) carries no engine.
 */
package io.penstock.cache.control;
