/**
 * What services log. {@link io.penstock.cache.logs.Logs} is for those that have Logback on their class path; commands for people
 * have not.
 */
package io.penstock.cache.logs;
