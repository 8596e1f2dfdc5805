/** What runs beside an engine: has its model fetched, lets it start when enough is there, and says how far it is. */
package io.penstock.sidecar;
