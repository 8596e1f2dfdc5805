/** From files to a device: large reads by several threads, straight into place or through a staging ring of fixed size. */
package io.penstock.gpu.pipeline;
