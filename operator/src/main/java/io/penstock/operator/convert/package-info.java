/** Objects of Fluid ({@code data.fluid.io/v1alpha1}, of version 1.0), as ours. */
package io.penstock.operator.convert;
