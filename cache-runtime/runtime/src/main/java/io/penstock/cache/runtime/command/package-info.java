/** The commands that start and end processes: mount, unmount, daemon. */
package io.penstock.cache.runtime.command;
