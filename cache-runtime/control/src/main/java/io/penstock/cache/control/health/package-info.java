/** What a kubelet's probes ask: is this process alive, is it ready. */
package io.penstock.cache.control.health;
