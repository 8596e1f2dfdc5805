/**
 * The kernel's side of a mount: mounting, the FUSE protocol over /dev/fuse, passthrough, and taking a session over from
 * a daemon that died.
 */
package io.penstock.cache.mount.fuse;
