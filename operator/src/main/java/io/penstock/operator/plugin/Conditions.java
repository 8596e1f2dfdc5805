package io.penstock.operator.plugin;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What an object of ours says about itself. */
final class Conditions {
    private static final Pattern CODE = Pattern.compile("\\bPEN-\\d{4}\\b");

    private Conditions() {}

    /** Of the condition {@code type}; the message of a failure is the one that the operator wrote. */
    static Finding finding(GenericKubernetesResource object, String type) {
        String name = object.getKind().toLowerCase(Locale.ROOT) + "/" + Fields.name(object);
        return Fields.conditions(object).stream()
                .filter(c -> c.type().equals(type))
                .findFirst()
                .map(c -> c.good()
                        ? Finding.ok(name + " " + type + ": " + c.reason())
                        : coded(
                                Finding.fail(
                                        name + " is not " + type + ": " + c.reason(),
                                        c.message().isEmpty() ? "not said" : c.message(),
                                        "kubectl describe " + name.replaceFirst("/(.*)/", " -n $1 ")),
                                c.message()))
                .orElseGet(() -> Finding.fail(
                        name + " has no condition " + type,
                        "the operator has not looked at it yet, or does not run",
                        "kubectl -n penstock-system logs deployment/penstock-operator"));
    }

    /** With the code that a message names, which {@code penstock explain} knows. */
    static Finding coded(Finding finding, String message) {
        Matcher code = CODE.matcher(message);
        return code.find() ? finding.code(code.group()) : finding;
    }
}
