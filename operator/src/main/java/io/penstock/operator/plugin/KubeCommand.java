package io.penstock.operator.plugin;

import picocli.CommandLine.Command;

@Command(
        name = "kube",
        description = {
            "Looks at Penstock in a Kubernetes cluster, with the rights of whoever asks. Changes nothing.",
            "With kubectl-penstock on the PATH it is also called kubectl penstock."
        },
        subcommands = {StatusCommand.class, DoctorCommand.class, SupportBundleCommand.class, UninstallCommand.class},
        synopsisSubcommandLabel = "COMMAND")
final class KubeCommand {}
