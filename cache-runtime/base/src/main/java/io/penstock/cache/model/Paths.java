package io.penstock.cache.model;

/** Which object names can be files in a mount. */
public final class Paths {
    private static final int NAME_MAX = 255;

    private Paths() {}

    /** True for a relative path whose every segment is a legal file name on Linux. */
    public static boolean isValid(String path) {
        return problem(path) == null;
    }

    static void check(String path) {
        String problem = problem(path);
        if (problem != null) {
            throw new IllegalArgumentException("path '" + path + "' cannot be a file: " + problem);
        }
    }

    private static String problem(String path) {
        if (path == null || path.isEmpty()) {
            return "it is empty";
        }
        if (path.indexOf('\0') >= 0) {
            return "it contains NUL";
        }
        for (String segment : path.split("/", -1)) {
            if (segment.isEmpty()) {
                return "it has an empty segment";
            }
            if (segment.equals(".") || segment.equals("..")) {
                return "it has a segment '" + segment + "'";
            }
            if (segment.getBytes(java.nio.charset.StandardCharsets.UTF_8).length > NAME_MAX) {
                return "a segment is longer than " + NAME_MAX + " bytes";
            }
        }
        return null;
    }
}
