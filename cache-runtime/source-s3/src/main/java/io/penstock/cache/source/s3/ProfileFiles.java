package io.penstock.cache.source.s3;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import software.amazon.awssdk.profiles.Profile;
import software.amazon.awssdk.profiles.ProfileFile;
import software.amazon.awssdk.profiles.ProfileFileSupplier;

/** The configuration files of AWS, as the caller's environment names them. */
final class ProfileFiles {
    private final S3Options options;

    ProfileFiles(S3Options options) {
        this.options = options;
    }

    /** The profile to take settings from. */
    String name() {
        String variable = options.variable("AWS_PROFILE");
        return options.profile().orElse(variable == null ? "default" : variable);
    }

    boolean exist() {
        return Files.isReadable(config()) || Files.isReadable(credentials());
    }

    private Path config() {
        return path("AWS_CONFIG_FILE", "config");
    }

    private Path credentials() {
        return path("AWS_SHARED_CREDENTIALS_FILE", "credentials");
    }

    private Path path(String variable, String name) {
        String given = options.variable(variable);
        String home = options.variable("HOME");
        return given != null ? Path.of(given) : Path.of(home == null ? "/" : home, ".aws", name);
    }

    /** Reads the files again whenever they have changed. */
    ProfileFileSupplier supplier() {
        List<ProfileFileSupplier> files = new ArrayList<>();
        if (Files.isReadable(credentials())) {
            files.add(ProfileFileSupplier.reloadWhenModified(credentials(), ProfileFile.Type.CREDENTIALS));
        }
        if (Files.isReadable(config())) {
            files.add(ProfileFileSupplier.reloadWhenModified(config(), ProfileFile.Type.CONFIGURATION));
        }
        return switch (files.size()) {
            case 0 ->
                ProfileFileSupplier.fixedProfileFile(ProfileFile.aggregator().build());
            case 1 -> files.getFirst();
            default -> ProfileFileSupplier.aggregate(files.toArray(new ProfileFileSupplier[0]));
        };
    }

    /** A setting of the profile, or null; loads the SDK's parser only when there is a file. */
    String setting(String property) {
        return exist() ? Reader.setting(this, property) : null;
    }

    /** The endpoint for S3 that the profile names, for this service or for all; or null. */
    String endpoint() {
        return exist() ? Reader.endpoint(this) : null;
    }

    /** Keeps the SDK's classes out of the way until they are needed. */
    private static final class Reader {
        static String setting(ProfileFiles files, String property) {
            return profile(files).flatMap(p -> p.property(property)).orElse(null);
        }

        static String endpoint(ProfileFiles files) {
            ProfileFile file = files.supplier().get();
            Optional<Profile> profile = file.profile(files.name());
            Optional<String> own = profile.flatMap(p -> p.property("services"))
                    .flatMap(s -> file.getSection("services", s))
                    .flatMap(s -> s.property("s3.endpoint_url"));
            return own.or(() -> profile.flatMap(p -> p.property("endpoint_url")))
                    .orElse(null);
        }

        private static Optional<Profile> profile(ProfileFiles files) {
            return files.supplier().get().profile(files.name());
        }
    }
}
