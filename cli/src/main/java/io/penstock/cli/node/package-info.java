/** Commands that ask the daemon of this node. */
package io.penstock.cli.node;
