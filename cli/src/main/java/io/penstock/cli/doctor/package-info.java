/** {@code penstock doctor}: everything that can be wrong on one node, looked at in the order in which it matters. */
package io.penstock.cli.doctor;
