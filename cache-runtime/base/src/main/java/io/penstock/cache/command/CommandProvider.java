package io.penstock.cache.command;

import java.util.List;

/**
 * The commands that one module brings. Found by {@link java.util.ServiceLoader} at every start, so that it must not load
 * what the commands need.
 */
public interface CommandProvider {
    List<CommandEntry> commands();
}
