/** The operator's own certificate authority, and who has what from it. */
package io.penstock.operator.certificates;
