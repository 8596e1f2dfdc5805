/**
 * The conventions that every command follows: its options, what goes to which stream and in which form, how an error is
 * told, how progress is shown.
 */
package io.penstock.cache.command;
