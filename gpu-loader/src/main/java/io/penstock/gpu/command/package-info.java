/** {@code penstock load}. */
package io.penstock.gpu.command;
