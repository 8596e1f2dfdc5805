package io.penstock.csi.volume;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/** A volume as JSON text. Fields that are not known are passed over, so that an older version can read a newer one's. */
final class VolumeFile {
    private static final JsonFactory JSON = new JsonFactory();
    private static final int FORMAT = 1;

    private VolumeFile() {}

    static String write(VolumeRecord volume) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator out = JSON.createGenerator(text).useDefaultPrettyPrinter()) {
            out.writeStartObject();
            out.writeNumberField("format", FORMAT);
            out.writeStringField("volume", volume.spec().id());
            out.writeStringField("target", volume.spec().target().toString());
            out.writeNumberField("flags", volume.spec().flags());
            out.writeObjectFieldStart("attributes");
            for (Map.Entry<String, String> e : new TreeMap<>(volume.spec().attributes()).entrySet()) {
                out.writeStringField(e.getKey(), e.getValue());
            }
            out.writeEndObject();
            out.writeStringField("namespace", volume.spec().pod().namespace());
            out.writeStringField("pod", volume.spec().pod().name());
            out.writeStringField("serviceAccount", volume.spec().pod().serviceAccount());
            out.writeBooleanField("ephemeral", volume.spec().pod().ephemeral());
            out.writeStringField("session", volume.session());
            out.writeStringField("snapshot", volume.digest());
            out.writeNumberField("objects", volume.objects());
            out.writeNumberField("bytes", volume.bytes());
            out.writeBooleanField("ownCredentials", volume.ownCredentials());
            out.writeEndObject();
        }
        return text.append('\n').toString();
    }

    /** @throws IOException the text is no volume */
    static VolumeRecord read(String text) throws IOException {
        Map<String, String> fields = new HashMap<>();
        Map<String, String> attributes = new HashMap<>();
        try (JsonParser in = JSON.createParser(text)) {
            if (in.nextToken() != JsonToken.START_OBJECT) {
                throw new IOException("no JSON object");
            }
            while (in.nextToken() == JsonToken.FIELD_NAME) {
                String name = in.currentName();
                JsonToken value = in.nextToken();
                if (name.equals("attributes") && value == JsonToken.START_OBJECT) {
                    while (in.nextToken() == JsonToken.FIELD_NAME) {
                        String key = in.currentName();
                        attributes.put(key, in.nextTextValue());
                    }
                } else if (value.isScalarValue()) {
                    fields.put(name, in.getText());
                } else {
                    in.skipChildren();
                }
            }
        }
        try {
            if (Integer.parseInt(need(fields, "format")) != FORMAT) {
                throw new IOException("format " + fields.get("format") + " is not known to this version");
            }
            VolumeSpec spec = new VolumeSpec(
                    need(fields, "volume"),
                    Path.of(need(fields, "target")),
                    attributes,
                    Long.parseLong(need(fields, "flags")),
                    new PodInfo(
                            need(fields, "namespace"),
                            need(fields, "pod"),
                            need(fields, "serviceAccount"),
                            Boolean.parseBoolean(need(fields, "ephemeral"))));
            return new VolumeRecord(
                    spec,
                    need(fields, "session"),
                    need(fields, "snapshot"),
                    Long.parseLong(need(fields, "objects")),
                    Long.parseLong(need(fields, "bytes")),
                    Boolean.parseBoolean(
                            fields.getOrDefault("ownCredentials", String.valueOf(Credentials.mayBeOwn(spec)))));
        } catch (IllegalArgumentException | NullPointerException e) {
            throw new IOException("a field cannot be read: " + e.getMessage(), e);
        }
    }

    private static String need(Map<String, String> fields, String name) throws IOException {
        String value = fields.get(name);
        if (value == null) {
            throw new IOException("there is no field " + name);
        }
        return value;
    }
}
