package io.penstock.cache.runtime;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.model.SourceEnvironment;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Web identity tokens that came as values, where the SDK wants files that it can read again: one file for each session, in
 * the daemon's own directory, for its own eyes. Thread-safe.
 */
final class Tokens {
    private static final Logger LOG = LoggerFactory.getLogger(Tokens.class);
    private static final String FILE = "AWS_WEB_IDENTITY_TOKEN_FILE";

    private final Path directory;

    /** What a daemon before this one has left goes. */
    Tokens(Path directory) throws IOException {
        this.directory = directory;
        try (DirectoryStream<Path> stale = Files.newDirectoryStream(directory, "token-*")) {
            for (Path file : stale) {
                Files.delete(file);
            }
        }
    }

    /** The environment with a file in place of the value; the file is written anew. */
    Map<String, String> environment(String session, Map<String, String> given) throws PenstockException {
        String token = given.get(SourceEnvironment.WEB_IDENTITY_TOKEN);
        if (token == null) {
            return given;
        }
        Map<String, String> own = new TreeMap<>(given);
        own.remove(SourceEnvironment.WEB_IDENTITY_TOKEN);
        Path file = file(session);
        try {
            Path fresh = Files.createTempFile(
                    directory,
                    "token-",
                    ".new",
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.writeString(fresh, token, StandardOpenOption.TRUNCATE_EXISTING);
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new PenstockException(
                    ErrorCode.CACHE_IO,
                    "a token cannot be kept in " + directory + ": " + e.getMessage(),
                    "The daemon must be able to write there.",
                    true,
                    e);
        }
        own.put(FILE, file.toString());
        return own;
    }

    void forget(String session) {
        try {
            Files.deleteIfExists(file(session));
        } catch (IOException e) {
            LOG.warn("a token file stays: {}", e.getMessage());
        }
    }

    private Path file(String session) {
        return directory.resolve("token-" + session.replaceAll("[^A-Za-z0-9-]", "_"));
    }
}
