/** What to fetch in which order, made from what paths and sizes tell: no I/O. */
package io.penstock.cache.plan;
