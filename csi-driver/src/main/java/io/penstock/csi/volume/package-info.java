/** What a volume is: what it may be asked to be, what is kept of it, and how it comes and goes. */
package io.penstock.csi.volume;
