package io.penstock.cache.control.server;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.penstock.cache.model.Entry;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.model.PenstockException;
import io.penstock.cache.model.Snapshot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** A snapshot as a JSON file. Its digest is computed again when it is read, so a damaged file is noticed. */
final class SnapshotFile {
    private static final JsonFactory JSON = new JsonFactory();
    private static final int FORMAT = 1;

    private SnapshotFile() {}

    static void write(Path file, SnapshotRecord record) throws IOException {
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        try (JsonGenerator out = JSON.createGenerator(Files.newBufferedWriter(fresh))) {
            out.writeStartObject();
            out.writeNumberField("format", FORMAT);
            out.writeStringField("source", record.snapshot().source());
            out.writeStringField("digest", record.snapshot().digest());
            out.writeStringField("resolved", record.resolved().toString());
            out.writeArrayFieldStart("entries");
            for (Entry entry : record.snapshot().entries()) {
                out.writeStartArray();
                out.writeString(entry.path());
                out.writeString(entry.object().origin());
                out.writeString(entry.object().key());
                out.writeString(entry.object().version());
                out.writeNumber(entry.object().size());
                out.writeEndArray();
            }
            out.writeEndArray();
            out.writeEndObject();
        }
        Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    /** @throws PenstockException with {@code UNKNOWN_FORMAT} when the file is no snapshot of this version, or damaged */
    static SnapshotRecord read(Path file) throws IOException {
        String source = "";
        String digest = "";
        Instant resolved = Instant.EPOCH;
        List<Entry> entries = new ArrayList<>();
        try (JsonParser in = JSON.createParser(Files.newBufferedReader(file))) {
            in.nextToken();
            while (in.nextToken() == JsonToken.FIELD_NAME) {
                String field = in.currentName();
                in.nextToken();
                switch (field) {
                    case "format" -> {
                        if (in.getIntValue() != FORMAT) {
                            throw damaged(file, "its format is " + in.getIntValue(), null);
                        }
                    }
                    case "source" -> source = in.getText();
                    case "digest" -> digest = in.getText();
                    case "resolved" -> resolved = Instant.parse(in.getText());
                    case "entries" -> {
                        while (in.nextToken() == JsonToken.START_ARRAY) {
                            entries.add(entry(in));
                        }
                    }
                    default -> in.skipChildren();
                }
            }
            Snapshot snapshot = Snapshot.of(source, entries);
            if (!snapshot.digest().equals(digest)) {
                throw damaged(file, "its digest does not fit its entries", null);
            }
            return new SnapshotRecord(snapshot, resolved);
        } catch (com.fasterxml.jackson.core.JacksonException | RuntimeException e) {
            throw damaged(file, "it cannot be read", e);
        }
    }

    private static Entry entry(JsonParser in) throws IOException {
        String path = in.nextTextValue();
        String origin = in.nextTextValue();
        String key = in.nextTextValue();
        String version = in.nextTextValue();
        in.nextToken();
        long size = in.getLongValue();
        in.nextToken();
        return new Entry(path, new ObjectId(origin, key, version, size));
    }

    private static PenstockException damaged(Path file, String why, Exception cause) {
        return new PenstockException(
                ErrorCode.UNKNOWN_FORMAT,
                "snapshot record " + file + ": " + why,
                "Mount the location again, which lists it anew; the record can be deleted.",
                false,
                cause);
    }
}
