/** Which bytes of a model one rank of an engine needs: no I/O. */
package io.penstock.cache.plan.rank;
