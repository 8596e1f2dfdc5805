package io.penstock.operator.plugin;

import java.util.regex.Pattern;

/** Takes out of a text what may be a secret. Secrets are never read; this is about those that somebody wrote elsewhere. */
final class Redaction {
    static final String GONE = "[redacted]";

    /** A name that says secret, and what follows it: YAML, JSON, headers, options, query parameters. */
    private static final Pattern NAMED = Pattern.compile(
            "(?i)((?!secretName\\b)[\\w.-]*(?:secret|password|passwd|token|credential|api[-_]?key|access[-_]?key(?:[-_]?id)?|signature|authorization)"
                    + "[\\w-]*\"?[ \\t]*[:=][ \\t]*)(\"[^\"]*\"|'[^']*'|(?:Bearer|Basic|AWS4-HMAC-SHA256)\\s+[^\\n\"]+|[^\\s,;&}\"'\\[{]\\S*?(?=[\\s,;&}\"']|$))");

    /** An environment variable of that name in YAML: its value is on the next line. */
    private static final Pattern VARIABLE = Pattern.compile(
            "(?i)(name:\\s*\"?[\\w.-]*(?:secret|password|token|credential|key)[\\w.-]*\"?\\s*\\n\\s*value:\\s*)(\\S.*)");

    private static final Pattern IN_URL = Pattern.compile("(\\w+://)[^\\s@\"']+@");
    private static final Pattern AWS_KEY = Pattern.compile("\\b(?:AKIA|ASIA)[A-Z0-9]{12,}\\b");
    private static final Pattern JWT = Pattern.compile("\\beyJ[\\w-]{8,}\\.[\\w-]+\\.[\\w-]*");
    private static final Pattern PEM =
            Pattern.compile("-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", Pattern.DOTALL);

    private Redaction() {}

    static String of(String text) {
        String clean = PEM.matcher(text).replaceAll(GONE);
        clean = VARIABLE.matcher(clean).replaceAll("$1" + GONE);
        clean = NAMED.matcher(clean).replaceAll("$1" + GONE);
        clean = IN_URL.matcher(clean).replaceAll("$1" + GONE + "@");
        clean = AWS_KEY.matcher(clean).replaceAll(GONE);
        return JWT.matcher(clean).replaceAll(GONE);
    }
}
