/** What it takes to measure: the model of an object store, synthetic checkpoints, and the commands that run them. */
package io.penstock.bench;
