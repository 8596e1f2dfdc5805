/**
 * Custody of mounts. The {@link io.penstock.cache.control.custody.Holder} has the privilege to mount and keeps the
 * descriptor of every session; the daemon serves the sessions, keeps the descriptors too, and has no privilege. Each gets
 * them back from the other after a restart.
 */
package io.penstock.cache.control.custody;
