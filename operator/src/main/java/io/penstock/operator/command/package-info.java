/** {@code penstock operator}. */
package io.penstock.operator.command;
