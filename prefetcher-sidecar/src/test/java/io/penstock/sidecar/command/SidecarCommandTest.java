package io.penstock.sidecar.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.sidecar.Wait;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

final class SidecarCommandTest {
    private static CommandLine.ParseResult parse(String... arguments) {
        return new CommandLine(
                        new SidecarCommands().commands().getFirst().maker().get())
                .setCaseInsensitiveEnumValuesAllowed(true) // as every command has it
                .parseArgs(arguments);
    }

    @Test
    void everythingThatThePodsAnnotationsSayIsUnderstood() {
        CommandLine.ParseResult all = parse(
                "--path=/mnt/model",
                "--socket=/run/penstock/guest/guest.sock",
                "--listen=0.0.0.0:9811",
                "--wait=bytes=20GiB",
                "--deadline=30m",
                "--on-failure=fail",
                "--layout=prefill:tp=8;decode:dp=16,ep=on",
                "--role=decode",
                "--rank=0-7",
                "--everything-because=two words");
        SidecarCommand.OnFailure said = all.matchedOptionValue("--on-failure", SidecarCommand.OnFailure.CONTINUE);
        assertThat(said).isEqualTo(SidecarCommand.OnFailure.FAIL);
        Wait until = all.matchedOptionValue("--wait", new Wait.None());
        assertThat(until).isEqualTo(new Wait.Bytes(20L << 30));
        assertThat(parse("--path=/m", "--on-failure=continue").hasMatchedOption("--on-failure"))
                .isTrue();
        assertThat(parse("--path=/m").errors()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"--wait=some", "--on-failure=maybe", "--deadline=soon", "--parallel=many"})
    void whatIsNotKnownIsRefused(String option) {
        assertThatThrownBy(() -> parse("--path=/mnt/model", option))
                .isInstanceOf(CommandLine.ParameterException.class)
                .hasMessageContaining(option.substring(0, option.indexOf('=')));
    }
}
