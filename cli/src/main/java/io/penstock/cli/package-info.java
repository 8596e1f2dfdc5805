/** Joins the commands of all modules into {@code penstock}, and brings those that belong to no part alone. */
package io.penstock.cli;
