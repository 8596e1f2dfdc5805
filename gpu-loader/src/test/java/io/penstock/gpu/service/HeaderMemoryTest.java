package io.penstock.gpu.service;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Everything that is allocated for a header, garbage too, is at most four times its length, the header itself included. */
class HeaderMemoryTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final Path FILE = Path.of("/model/m.safetensors");
    private static final int ALWAYS = 2 << 20;
    private static final int COUNT = 150_000;

    private interface Text {
        String of(int i);
    }

    /** {@code COUNT} tensors, or as many as fit into 100 MB. */
    private static byte[] header(String before, Text each) {
        StringBuilder json = new StringBuilder("{").append(before);
        for (int i = 0; i < COUNT && json.length() < 90_000_000; i++) {
            json.append(i == 0 ? "" : ",").append(each.of(i));
        }
        return json.append('}').toString().replace('\'', '"').getBytes(UTF_8);
    }

    private static double factor(String what, byte[] json, long size) throws IOException {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        Header header = Header.parse(json, FILE, 0, size);
        long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
        double factor = (double) (allocated + json.length - ALWAYS) / json.length;
        System.out.printf(
                "%s: %,d tensors, header %,d bytes, allocated %,d with it: %.2f%n",
                what, header.tensors().size(), json.length, allocated + json.length, factor);
        return factor;
    }

    @Test
    void headers_as_tools_write_them() throws IOException {
        Text experts = i -> "'model.layers." + i / 768 + ".mlp.experts." + i % 768
                + ".down_proj.weight':{'dtype':'F8_E4M3','shape':[7168,2048],'data_offsets':[" + i * 14_680_064L + ","
                + (i + 1) * 14_680_064L + "]}";
        assertThat(factor("experts", header("'__metadata__':{'format':'pt'},", experts), COUNT * 14_680_064L))
                .isLessThan(4);
    }

    @Test
    void the_shortest_tensors_that_can_be_written() throws IOException {
        Text empty = i -> "'" + i + "':{'dtype':'U8','shape':[0],'data_offsets':[0,0]}";
        assertThat(factor("empty", header("", empty), 0)).isLessThan(4);
        Text scalar = i -> "'" + i + "':{'dtype':'U8','shape':[],'data_offsets':[" + i + "," + (i + 1) + "]}";
        assertThat(factor("scalars", header("", scalar), COUNT)).isLessThan(4);
    }

    @Test
    void shapes_of_many_dimensions() throws IOException {
        for (String dimension : new String[] {",0", ",127", ",128", ",999999999"}) {
            Text many = i -> "'" + i + "':{'dtype':'U8','shape':[0" + dimension.repeat(2) + ",0".repeat(40)
                    + "],'data_offsets':[0,0]}";
            assertThat(factor("48 dimensions " + dimension, header("", many), 0))
                    .isLessThan(4);
        }
    }

    @Test
    void long_names_in_any_script() throws IOException {
        for (String letter : new String[] {"n", "ß", "語", "😀"}) {
            String name = letter.repeat(600);
            Text each = i -> "'" + i + name + "':{'dtype':'U8','shape':[],'data_offsets':[" + i + "," + (i + 1) + "]}";
            byte[] json = header(
                    "",
                    i -> i < 20_000
                            ? each.of(i)
                            : "'" + i + "':{'dtype':'U8','shape':[0],'data_offsets':[20000,20000]}");
            assertThat(factor("names of " + letter, json, 20_000)).isLessThan(4);
        }
    }

    /** Fields in another order than those before: their names become garbage, which is collected when it has to be. */
    @Test
    void fields_in_changing_order() throws IOException {
        Text changing = i -> i % 2 == 0
                ? "'" + i + "':{'dtype':'U8','shape':[0],'data_offsets':[0,0]}"
                : "'" + i + "':{'data_offsets':[0,0],'dtype':'U8','shape':[0]}";
        assertThat(factor("changing order", header("", changing), 0)).isLessThan(7);
    }

    @Test
    void metadata_of_many_short_entries_is_refused() {
        Text entry = i -> "'" + Integer.toString(i, 36) + "':''";
        byte[] json = ("{\"__metadata__\":" + new String(header("", entry), UTF_8) + "}").getBytes(UTF_8);
        long before = THREADS.getCurrentThreadAllocatedBytes();
        assertThatThrownBy(() -> Header.parse(json, FILE, 0, 0))
                .isInstanceOf(PenstockException.class)
                .hasMessageContaining("its metadata has more than");
        assertThat(THREADS.getCurrentThreadAllocatedBytes() - before).isLessThan(3L * json.length + ALWAYS);
    }
}
