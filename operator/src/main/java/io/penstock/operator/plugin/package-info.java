/** {@code kubectl penstock}: looks at Penstock in a cluster with the rights of whoever asks, and changes nothing. */
package io.penstock.operator.plugin;
