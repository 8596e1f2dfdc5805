/** {@code penstock csi}. */
package io.penstock.csi.command;
