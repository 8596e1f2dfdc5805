/**
 * The reader: brings chunks from where they are to whoever asks, each chunk once, the asked-for before the expected,
 * within one memory budget.
 */
package io.penstock.cache.read;
