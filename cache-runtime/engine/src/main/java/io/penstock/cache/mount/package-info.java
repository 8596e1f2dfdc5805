/** A snapshot as a read-only file tree: nodes, handles, and the errno for each error. */
package io.penstock.cache.mount;
