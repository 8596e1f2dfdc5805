package io.penstock.operator.node;

import io.penstock.cache.control.ControlClient;
import io.penstock.cache.model.PenstockException;

/** Makes a client of a daemon; connecting may come later, with the first question. */
@FunctionalInterface
public interface Dialer {
    ControlClient dial(Daemon daemon) throws PenstockException;
}
