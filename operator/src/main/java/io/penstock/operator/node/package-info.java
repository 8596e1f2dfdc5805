/** The daemons on the nodes: connections to them, and a picture in memory of what they hold and do. */
package io.penstock.operator.node;
