/** The control API over the reader and its mounts: what a node knows, and the calls that ask and change it. */
package io.penstock.cache.control.server;
