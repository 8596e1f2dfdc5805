/** Where tensors go: memory of this machine, or of a GPU, its own or an engine's. */
package io.penstock.gpu.device;
