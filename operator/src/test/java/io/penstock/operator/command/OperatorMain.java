package io.penstock.operator.command;

import picocli.CommandLine;

/** {@code penstock operator} in a process of its own. */
final class OperatorMain {
    private OperatorMain() {}

    public static void main(String[] args) {
        System.exit(new CommandLine(new OperatorCommand()).execute(args));
    }
}
