/** Web servers as a source, and what every source over HTTP needs to read a range and be sure of it. */
package io.penstock.cache.source.http;
