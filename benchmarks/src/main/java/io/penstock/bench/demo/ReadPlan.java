package io.penstock.bench.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What a reader process has to read and to find, as a file of lines with tabs. */
final class ReadPlan {
    private ReadPlan() {}

    static void write(Model model, Path file) throws IOException {
        List<String> lines = new ArrayList<>();
        for (Model.ModelFile f : model.files()) {
            lines.add(String.join("\t", "file", f.name(), Long.toString(f.size()), Boolean.toString(f.shard())));
            for (Model.Part p : f.parts()) {
                lines.add(String.join(
                        "\t",
                        "part",
                        p.name(),
                        Long.toString(p.offset()),
                        Long.toString(p.length()),
                        Long.toString(p.crc32())));
            }
        }
        Files.write(file, lines);
    }

    static List<Model.ModelFile> read(Path file) throws IOException {
        List<Model.ModelFile> files = new ArrayList<>();
        List<Model.Part> parts = new ArrayList<>();
        String[] head = null;
        for (String line : Files.readAllLines(file)) {
            String[] words = line.split("\t", -1);
            if (words[0].equals("file")) {
                add(files, head, parts);
                head = words;
                parts.clear();
            } else {
                parts.add(new Model.Part(
                        words[1], Long.parseLong(words[2]), Long.parseLong(words[3]), Long.parseLong(words[4])));
            }
        }
        add(files, head, parts);
        return files;
    }

    private static void add(List<Model.ModelFile> files, String[] head, List<Model.Part> parts) {
        if (head != null) {
            files.add(new Model.ModelFile(head[1], Long.parseLong(head[2]), Boolean.parseBoolean(head[3]), parts));
        }
    }
}
