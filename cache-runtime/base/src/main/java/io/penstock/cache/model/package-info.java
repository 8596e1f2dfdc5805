/** What the cache is about: objects, snapshots, ranges, chunks. Values only, no I/O. */
package io.penstock.cache.model;
