/** What decides how the chunk store writes: page cache or direct, with or without early write-back and preallocation. */
package io.penstock.bench.store;
