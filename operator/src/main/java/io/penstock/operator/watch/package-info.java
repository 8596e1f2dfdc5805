/** What the reconcilers know of the cluster without asking it. */
package io.penstock.operator.watch;
