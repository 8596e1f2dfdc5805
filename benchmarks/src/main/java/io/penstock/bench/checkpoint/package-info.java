/** Synthetic safetensors checkpoints with the layout of published models, from a fixed seed, and a reader for headers. */
package io.penstock.bench.checkpoint;
