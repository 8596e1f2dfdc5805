/** CacheRuntime: the daemons of a pool of nodes. */
package io.penstock.operator.runtime;
