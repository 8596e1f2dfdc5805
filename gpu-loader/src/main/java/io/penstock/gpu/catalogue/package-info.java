/** What the names of tensors say: layer, expert, role. */
package io.penstock.gpu.catalogue;
