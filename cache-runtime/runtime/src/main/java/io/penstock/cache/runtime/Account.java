package io.penstock.cache.runtime;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The user that a daemon without privilege runs as. */
record Account(String name, int uid, int gid) {
    private static final Path PASSWD = Path.of("/etc/passwd");
    private static final int OWNER = 6;
    private static final int GROUP = 3;
    private static final int READ = 4;
    private static final int EXECUTE = 1;
    private static final Account NOBODY = new Account("nobody", 65534, 65534);

    /** The configured user; without one {@code penstock} if there is such a user, else {@code nobody}. */
    static Account of(Optional<String> configured) throws PenstockException {
        if (configured.isEmpty()) {
            return find("penstock").or(() -> find("nobody")).orElse(NOBODY);
        }
        String text = configured.get();
        Account account = text.matches("\\d{1,9}:\\d{1,9}")
                ? new Account(text, Integer.parseInt(text.split(":", 2)[0]), Integer.parseInt(text.split(":", 2)[1]))
                : find(text).orElseThrow(() -> refused("there is no user '" + text + "'"));
        if (account.uid == 0 || account.gid == 0) {
            throw refused("the daemon must not run as root");
        }
        return account;
    }

    /** The first directory on the way to {@code file} that this user may not pass; null when there is none. */
    Path barrier(Path file) throws IOException {
        List<Path> way = new ArrayList<>();
        for (Path at = file.toAbsolutePath().getParent(); at != null; at = at.getParent()) {
            way.addFirst(at);
        }
        for (Path directory : way) {
            if (!may(directory, PosixFilePermission.OTHERS_EXECUTE)) {
                return directory;
            }
        }
        return null;
    }

    /** Whether a file's mode lets this user do what {@code permission} lets others do. */
    boolean may(Path file, PosixFilePermission permission) throws IOException {
        int shift;
        if ((Integer) Files.getAttribute(file, "unix:uid") == uid) {
            shift = OWNER;
        } else {
            shift = (Integer) Files.getAttribute(file, "unix:gid") == gid ? GROUP : 0;
        }
        int bit = permission == PosixFilePermission.OTHERS_EXECUTE ? EXECUTE : READ;
        return ((Integer) Files.getAttribute(file, "unix:mode") >> shift & bit) != 0;
    }

    private static PenstockException refused(String why) {
        return new PenstockException(ErrorCode.BAD_VALUE, "daemon.user: " + why, "Name a normal user, or uid:gid.");
    }

    private static Optional<Account> find(String name) {
        try {
            for (String line : Files.readAllLines(PASSWD)) {
                String[] fields = line.split(":", -1);
                if (fields.length >= 4 && fields[0].equals(name)) {
                    return Optional.of(new Account(name, Integer.parseInt(fields[2]), Integer.parseInt(fields[3])));
                }
            }
            return Optional.empty();
        } catch (IOException | NumberFormatException e) {
            throw new IllegalStateException(PASSWD + " cannot be read", e);
        }
    }
}
