package io.penstock.gpu.service;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.PenstockException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Headers that lie are refused, and cost neither the process nor much memory. */
class HeaderTest {
    private static final long SEED = Long.getLong("penstock.test.seed", System.nanoTime());
    private static final double SCALE = Double.parseDouble(System.getProperty("penstock.test.scale", "1"));
    private static final Path FILE = Path.of("/model/m.safetensors");
    private static final String GOOD =
            "{'__metadata__':{'format':'pt'},'a':{'dtype':'F32','shape':[2,3],'data_offsets':[0,24]},"
                    + "'b':{'dtype':'BF16','shape':[],'data_offsets':[24,26]},'c':{'dtype':'F4','shape':[4,2],'data_offsets':[26,30]},"
                    + "'d':{'dtype':'U8','shape':[0,7],'data_offsets':[30,30]}}   ";
    private static final String[] WORDS = {
        "-1",
        "9223372036854775807",
        "18446744073709551616",
        "1e9",
        "99999999999999999999999999",
        "null",
        "[]",
        "{}",
        "'a'",
        "''",
        "'\\ud800'",
        "[[[[[[[[[[",
        "{'x':".repeat(20),
        "'dtype':'I64',",
        "'data_offsets':[0,24],",
        "\0",
        "0.5",
        "'__metadata__':7,"
    };

    @TempDir
    private Path directory;

    private static Header parse(String json, long size) throws IOException {
        return Header.parse(json.replace('\'', '"').getBytes(UTF_8), FILE, 0, size);
    }

    @Test
    void a_good_header_says_where_everything_is() throws IOException {
        Header header = parse(GOOD, 30);
        assertThat(header.metadata()).containsEntry("format", "pt");
        assertThat(header.tensors()).extracting(Model.Tensor::name).containsExactly("a", "b", "c", "d");
        assertThat(header.tensors().get(2).offset()).isEqualTo(8 + GOOD.length() + 26);
        assertThat(header.tensors().get(2).length()).isEqualTo(4);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'a':{'dtype':'U8','shape':[31],'data_offsets':[0,31]}}", // beyond the file
                "{'a':{'dtype':'U8','shape':[29],'data_offsets':[0,29]}}", // a hole at the end
                "{'a':{'dtype':'U8','shape':[29],'data_offsets':[1,30]}}", // a hole in front
                "{'a':{'dtype':'U8','shape':[20],'data_offsets':[0,20]},'b':{'dtype':'U8','shape':[11],'data_offsets':[19,30]}}",
                "{'a':{'dtype':'U8','shape':[30],'data_offsets':[0,30]},'b':{'dtype':'U8','shape':[30],'data_offsets':[0,30]}}",
                "{'a':{'dtype':'U8','shape':[10],'data_offsets':[0,10]},'b':{'dtype':'U8','shape':[10],'data_offsets':[20,30]}}",
                "{'a':{'dtype':'U8','shape':[15],'data_offsets':[0,15]},'a':{'dtype':'U8','shape':[15],'data_offsets':[15,30]}}",
                "{'a':{'dtype':'U8','shape':[31],'data_offsets':[0,30]}}",
                "{'a':{'dtype':'U8','shape':[-30],'data_offsets':[0,30]}}",
                "{'a':{'dtype':'U8','shape':[30],'data_offsets':[30,0]}}",
                "{'a':{'dtype':'U8','shape':[4294967296,4294967296,4294967296],'data_offsets':[0,0]}}",
                "{'a':{'dtype':'U8','shape':[9223372036854775808],'data_offsets':[0,30]}}",
                "{'a':{'dtype':'F4','shape':[59],'data_offsets':[0,30]}}",
                "{'a':{'dtype':'F128','shape':[30],'data_offsets':[0,30]}}",
                "{'a':{'dtype':'U8','shape':[30.0],'data_offsets':[0,30]}}",
                "{'a':{'dtype':'U8','shape':[30],'data_offsets':[0,30,30]}}",
                "{'a':{'dtype':'U8','shape':[30],'data_offsets':[0]}}",
                "{'a':{'dtype':'U8','shape':30,'data_offsets':[0,30]}}",
                "{'a':{'dtype':'U8','dtype':'I8','shape':[30],'data_offsets':[0,30]}}",
                "{'a':{'dtype':'U8','shape':[30],'data_offsets':[0,30],'code':'x'}}",
                "{'a':{'dtype':'U8','shape':[30],'data_offsets':[0,30]}}x",
                "{'a':{'dtype':'U8','shape':[30],'data_offsets':[0,30]}}{}",
                "{'a':{'dtype':'U8','shape':[30],'data_offsets':[0,30]}",
                "{'__metadata__':{'x':7},'a':{'dtype':'U8','shape':[30],'data_offsets':[0,30]}}",
                "{'a':[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]}",
                "{'a':7}",
                "{'a':{'dtype':'U8','shape':[0,9223372036854775807,2],'data_offsets':[0,0]},'b':{'dtype':'U8','shape':[30],'data_offsets':[0,30]}}",
                "{'\\ud800':{'dtype':'U8','shape':[30],'data_offsets':[0,30]}}",
                "{'__metadata__':{},'__metadata__':{},'a':{'dtype':'U8','shape':[30],'data_offsets':[0,30]}}",
                "{'__metadata__':{'x':'1','x':'2'},'a':{'dtype':'U8','shape':[30],'data_offsets':[0,30]}}",
                " {'a':{'dtype':'U8','shape':[30],'data_offsets':[0,30]}}",
                "\ufeff{'a':{'dtype':'U8','shape':[30],'data_offsets':[0,30]}}",
                "{'a':{'dtype':'U8','shape':[30],'data_offsets':[0,30]},}",
                "{'a':{'shape':[30],'data_offsets':[0,30]}}",
                "{'a':{'dtype':'U8','data_offsets':[0,30]}}",
                "{'a':{'dtype':'U8','shape':[30]}}",
                "{'a':{}}",
                "[]",
                "7",
                "",
                "{}"
            })
    void what_is_not_so_is_refused(String json) {
        assertThatThrownBy(() -> parse(json, 30))
                .isInstanceOfSatisfying(
                        PenstockException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.LOADER_READ))
                .hasMessageContaining(FILE.toString());
    }

    @Test
    void fields_come_in_any_order_and_shapes_are_what_they_were() throws IOException {
        Header header = parse(
                "{'a':{'data_offsets':[0,24],'shape':[2,3],'dtype':'F32'},'b':{'shape':[],'dtype':'BF16','data_offsets':[24,26]},"
                        + "'größe😀':{'dtype':'U8','data_offsets':[26,326],'shape':[300,1,1,1]},"
                        + "'d':{'data_offsets':[326,326],'dtype':'U8','shape':[0,127,128,16384,2097153]}}",
                326);
        assertThat(header.tensors())
                .extracting(Model.Tensor::shape)
                .containsExactly(
                        List.of(2L, 3L),
                        List.of(),
                        List.of(300L, 1L, 1L, 1L),
                        List.of(0L, 127L, 128L, 16384L, 2097153L));
        assertThat(header.tensors().get(2).name()).isEqualTo("größe😀");
    }

    @Test
    void what_is_not_utf_8_is_refused() {
        String json = "{'a':{'dtype':'U8','shape':[30],'data_offsets':[0,30]}}".replace('\'', '"');
        byte[] latin = json.replace('a', 'ä').getBytes(StandardCharsets.ISO_8859_1);
        byte[] overlong = json.replace("a", "aa").getBytes(UTF_8);
        overlong[2] = (byte) 0xc1; // A, in two bytes
        overlong[3] = (byte) 0x81;
        byte[] surrogate = json.replace("a", "aaa").getBytes(UTF_8);
        surrogate[2] = (byte) 0xed;
        surrogate[3] = (byte) 0xa0;
        surrogate[4] = (byte) 0x80;
        for (byte[] bytes : new byte[][] {
            latin, overlong, surrogate, json.getBytes(StandardCharsets.UTF_16LE), json.getBytes(StandardCharsets.UTF_16)
        }) {
            assertThatThrownBy(() -> Header.parse(bytes, FILE, 0, 30))
                    .isInstanceOf(PenstockException.class)
                    .hasMessageContaining("m.safetensors is refused");
        }
    }

    @Test
    void a_length_that_lies_costs_nothing() throws IOException {
        for (long length : new long[] {0, -1, Long.MIN_VALUE, Long.MAX_VALUE, 100_000_001, 101, 1L << 32}) {
            Path file = directory.resolve("lying.safetensors");
            Files.write(
                    file,
                    ByteBuffer.allocate(108)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .putLong(length)
                            .array());
            assertThat(allocated(() -> assertThatThrownBy(() -> Header.read(file, 0))
                            .hasMessageContaining("lying.safetensors is refused")))
                    .isLessThan(1 << 20);
        }
    }

    @Test
    void changed_headers() throws IOException {
        fuzz(50_000);
    }

    @Test
    @Tag("long")
    void many_changed_headers() throws IOException {
        fuzz((long) (10_000_000 * SCALE));
    }

    private static void fuzz(long count) throws IOException {
        System.out.println("seed " + SEED);
        long begun = System.nanoTime();
        Random random = new Random(SEED);
        long accepted = 0;
        for (long i = 0; i < count; i++) {
            StringBuilder text = new StringBuilder(GOOD);
            for (int n = random.nextInt(3); n >= 0 && !text.isEmpty(); n--) {
                int at = random.nextInt(text.length());
                switch (random.nextInt(4)) {
                    case 0 -> text.setCharAt(at, (char) random.nextInt(random.nextBoolean() ? 128 : 0x10000));
                    case 1 -> text.delete(at, Math.min(text.length(), at + 1 + random.nextInt(12)));
                    case 2 -> text.insert(at, WORDS[random.nextInt(WORDS.length)]);
                    default -> text.setCharAt(at, (char) ('0' + random.nextInt(10)));
                }
            }
            try {
                Header header = parse(text.toString(), 30);
                accepted++;
                long end = header.tensors().stream()
                        .mapToLong(Model.Tensor::length)
                        .sum();
                assertThat(end).isEqualTo(30);
            } catch (PenstockException e) {
                assertThat(e.code()).isEqualTo(ErrorCode.LOADER_READ);
            }
        }
        assertThat(accepted).isBetween(1L, count - 1);
        System.out.printf("%,d headers in %.0f s, %,d accepted%n", count, (System.nanoTime() - begun) / 1e9, accepted);
    }

    private static long allocated(Runnable work) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        work.run();
        long before = threads.getCurrentThreadAllocatedBytes();
        work.run();
        return threads.getCurrentThreadAllocatedBytes() - before;
    }
}
