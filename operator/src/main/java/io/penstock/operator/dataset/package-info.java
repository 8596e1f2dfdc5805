/** Dataset: the snapshot is resolved, and a volume and a claim of the Dataset's name appear. */
package io.penstock.operator.dataset;
