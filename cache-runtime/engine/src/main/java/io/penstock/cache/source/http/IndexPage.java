package io.penstock.cache.source.http;

import io.penstock.cache.source.Percent;
import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The links of a directory page that lead below the directory. */
final class IndexPage {
    private static final Pattern LINK =
            Pattern.compile("<a\\s[^>]{0,1024}?href\\s*=\\s*(?:\"([^\"]*)\"|'([^']*)')", Pattern.CASE_INSENSITIVE);
    private static final Pattern ENTITY = Pattern.compile("&(amp|lt|gt|quot|apos|#39|#x27);");

    private IndexPage() {}

    /**
     * Direct children of {@code directory}, in the order of the page.
     *
     * @param directory decoded path with a slash at both ends
     * @param html an index as nginx, Apache or Python write it; else a list of relative addresses, one a line
     * @return decoded absolute paths; those of directories end with a slash
     */
    static List<String> children(String directory, String page, boolean html) {
        Set<String> found = new LinkedHashSet<>();
        for (String link : html ? links(page) : page.lines().toList()) {
            String path = resolve(directory, link.strip());
            if (path != null && path.startsWith(directory) && path.length() > directory.length()) {
                int slash = path.indexOf('/', directory.length());
                if (!html || slash < 0 || slash == path.length() - 1) {
                    found.add(path);
                }
            }
        }
        return List.copyOf(found);
    }

    private static List<String> links(String page) {
        List<String> links = new ArrayList<>();
        Matcher matcher = LINK.matcher(page);
        while (matcher.find()) {
            String raw = matcher.group(1) == null ? matcher.group(2) : matcher.group(1);
            links.add(ENTITY.matcher(raw).replaceAll(m -> Matcher.quoteReplacement(character(m.group(1)))));
        }
        return links;
    }

    private static String character(String entity) {
        return switch (entity) {
            case "amp" -> "&";
            case "lt" -> "<";
            case "gt" -> ">";
            case "quot" -> "\"";
            default -> "'";
        };
    }

    private static String resolve(String directory, String link) {
        if (link.isEmpty() || link.startsWith("?") || link.startsWith("#")) {
            return null;
        }
        try {
            URI base = URI.create("http://x" + Percent.path(directory));
            // Pages hold unescaped blanks and worse.
            URI target = base.resolve(link.replace(" ", "%20"));
            if (!"x".equals(target.getHost()) || target.getRawQuery() != null) {
                return null;
            }
            String path = Percent.decode(target.normalize().getRawPath(), false);
            return (path + "/").contains("/../") ? null : path;
        } catch (IllegalArgumentException e) {
            // A link that is no address leads to no file.
            return null;
        }
    }
}
