/**
 * The few system calls that the JDK does not offer, through the FFM API. Every call either returns a value or throws
 * {@link io.penstock.cache.linux.ErrnoException}; nothing here retries, except on EINTR where said.
 */
package io.penstock.cache.linux;
