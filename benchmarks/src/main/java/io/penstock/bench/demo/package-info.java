/** {@code penstock demo}: a cold start as done today beside one with Penstock, on one machine, without an account. */
package io.penstock.bench.demo;
