/** What the names of tensors say: layer, expert, role; the table of a model's tensors as an Arrow file. */
package io.penstock.gpu.catalogue;
