/** Files of this machine, or of a file system mounted on it, as a source. */
package io.penstock.cache.source.file;
