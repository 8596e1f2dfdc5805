package io.penstock.gpu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;

/** Safetensors files that are made up. */
public final class TestModels {
    /** Every type of the format, and the bits of one element. */
    public static final List<String> DTYPES = List.of(
            ("F4:4 F6_E2M3:6 F6_E3M2:6 BOOL:8 U8:8 I8:8 F8_E5M2:8 F8_E4M3:8 F8_E8M0:8 F8_E4M3FNUZ:8 F8_E5M2FNUZ:8"
                            + " I16:16 U16:16 F16:16 BF16:16 I32:32 U32:32 F32:32 I64:64 U64:64 F64:64 C64:64")
                    .split(" ", -1));

    private TestModels() {}

    /** A file: the header's JSON, with ' for ", and so many bytes of data. */
    public static Path write(Path file, String header, byte[] data) throws IOException {
        byte[] json = header.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
        return Files.write(
                file,
                ByteBuffer.allocate(8 + json.length + data.length)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(json.length)
                        .put(json)
                        .put(data)
                        .array());
    }

    /** Two files and their index; tensors of every type, with and without dimensions, some of them empty. */
    public static Path directory(Path directory, Random random) throws IOException {
        Files.createDirectories(directory);
        List<String> index = new ArrayList<>();
        for (int shard = 1; shard <= 2; shard++) {
            String file = "model-0000" + shard + "-of-00002.safetensors";
            List<String> tensors = new ArrayList<>();
            int at = 0;
            for (String typed : DTYPES) {
                String dtype = typed.substring(0, typed.indexOf(':'));
                int bits = Integer.parseInt(typed.substring(dtype.length() + 1));
                int rows = 4 * random.nextInt(50);
                int bytes = rows * 2 * bits / 8;
                String name = "model.layers." + shard + ".mlp.experts." + tensors.size() + "." + dtype + ".größe";
                tensors.add("'" + name + "':{'dtype':'" + dtype + "','shape':[" + rows + ",2],'data_offsets':[" + at
                        + "," + (at + bytes) + "]}");
                index.add("'" + name + "':'" + file + "'");
                at += bytes;
            }
            tensors.add("'scalar" + shard + "':{'dtype':'U8','shape':[],'data_offsets':[" + at + "," + (at + 1) + "]}");
            byte[] data = new byte[at + 1];
            random.nextBytes(data);
            write(directory.resolve(file), tensors.stream().collect(Collectors.joining(",", "{", "}")), data);
        }
        Files.writeString(
                directory.resolve("model.safetensors.index.json"),
                index.stream()
                        .collect(Collectors.joining(",", "{'metadata':{},'weight_map':{", "}}"))
                        .replace('\'', '"'));
        return directory;
    }
}
