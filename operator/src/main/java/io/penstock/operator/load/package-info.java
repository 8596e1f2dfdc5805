/** DataLoads: work on nodes, through the control API of their daemons. */
package io.penstock.operator.load;
