/** {@code penstock sidecar}. */
package io.penstock.sidecar.command;
