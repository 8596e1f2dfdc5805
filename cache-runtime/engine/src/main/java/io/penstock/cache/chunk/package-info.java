/**
 * The chunk store: one sparse file per object, a header with bitmap and checksums beside it, tiers with quotas, and
 * eviction of what nobody uses.
 */
package io.penstock.cache.chunk;
