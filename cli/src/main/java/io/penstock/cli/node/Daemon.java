package io.penstock.cli.node;

import io.penstock.cache.command.GlobalOptions;
import io.penstock.cache.config.Directories;
import io.penstock.cache.control.ControlClient;
import io.penstock.cache.control.StateDirectory;
import io.penstock.cache.model.PenstockException;

/** The daemon that the global options lead to. */
final class Daemon {
    private Daemon() {}

    static ControlClient connect(GlobalOptions global) throws PenstockException {
        return ControlClient.connect(new StateDirectory(global.config().get(Directories.STATE)).controlSocket());
    }
}
