package io.penstock.gpu.service;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.penstock.cache.linux.Fd;
import io.penstock.cache.linux.SharedMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class SessionTest {
    @TempDir
    private Path directory;

    private static byte[] bytes(int count) {
        byte[] bytes = new byte[count];
        new Random(7).nextBytes(bytes);
        return bytes;
    }

    @Test
    void a_tensor_goes_where_the_engine_says_and_into_its_own_memory() throws Exception {
        byte[] content = bytes(10_000);
        Path file = Conversation.model(directory, content);
        try (Conversation c = new Conversation();
                Fd memory = SharedMemory.create("ring", 20_000);
                Arena arena = Arena.ofShared()) {
            MemorySegment ring = SharedMemory.map(memory, 20_000, arena);
            c.say("{'type':'hello','version':1}");
            JsonNode hello = c.hear();
            assertThat(hello.path("device").asText()).isEqualTo("host memory (no GPU)");
            assertThat(hello.path("kinds").toString()).isEqualTo("[\"memfd\"]");
            c.say("{'type':'open','path':'" + file + "'}");
            JsonNode table = c.hear();
            assertThat(table.path("tensors").get(0).toString())
                    .isEqualTo("[\"t\",\"U8\",[10000],0," + (Files.size(file) - 10_000) + ",10000]");
            assertThat(table.path("metadata").path("format").asText()).isEqualTo("pt");
            assertThat(table.path("last").asBoolean()).isTrue();
            c.slot(3, 20_000, memory);
            c.say("{'type':'fetch','fetch':9,'slot':3,'items':[[0,0,10000,5]],'more':false}");
            c.say("{'type':'fetch','fetch':10,'slot':3,'items':[[0,100,50,15000]],'more':true}");
            c.say("{'type':'fetch','fetch':10,'slot':3,'items':[[0,9999,1,19999]]}");
            // Two threads read: the shorter one may be done first.
            assertThat(List.of(c.hear().toString(), c.hear().toString()))
                    .containsExactlyInAnyOrder("{\"type\":\"done\",\"fetch\":9}", "{\"type\":\"done\",\"fetch\":10}");
            assertThat(ring.asSlice(5, 10_000).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(content);
            assertThat(ring.asSlice(15_000, 50).toArray(ValueLayout.JAVA_BYTE))
                    .isEqualTo(java.util.Arrays.copyOfRange(content, 100, 150));
            assertThat(ring.get(ValueLayout.JAVA_BYTE, 19_999)).isEqualTo(content[9999]);
            c.say("{'type':'drop','slot':3}");
            c.say("{'type':'end'}");
            assertThat(c.hear().path("stages").toString()).contains("open").contains("read");
            c.hangUp();
            assertThat(c.over()).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'type':'hello','version':1}",
                "{'type':'nonsense'}",
                "{'type':7}",
                "{}",
                "[]",
                "7",
                "{'type':'open'",
                "{'type':'open','type':'end'}",
                "{'type':'open','path':'relative'}",
                "{'type':'open','path':'/a\\u0000b'}",
                "{'type':'open','files':[]}",
                "{'type':'open','files':['/x',3]}",
                "{'type':'open','path':'/x','rank':3}",
                "{'type':'slot','slot':1,'kind':'memfd','bytes':4096}",
                "{'type':'slot','slot':1,'kind':'memfd','bytes':-4096}",
                "{'type':'slot','slot':1,'kind':'paper','bytes':4096}",
                "{'type':'slot','slot':1,'kind':'cuda-ipc','bytes':1,'handle':'00','offset':0,'gpu':''}",
                "{'type':'slot','slot':99999999999,'kind':'memfd','bytes':4096}",
                "{'type':'drop','slot':1}",
                "{'type':'fetch','fetch':1,'slot':1,'items':[]}",
                "{'type':'fetch','fetch':1,'slot':1,'items':[[0,0,1]]}",
                "{'type':'fetch','fetch':1,'slot':1,'items':[[0,0,1,1.5]]}",
                "{'type':'fetch','fetch':1,'slot':1,'items':[[0,0,1,99999999999999999999]]}",
                "{'type':'fetch','fetch':1,'slot':1,'items':7}"
            })
    void what_makes_no_sense_is_answered_with_an_error_and_ends_the_session(String message) throws Exception {
        try (Conversation c = new Conversation()) {
            c.greet();
            c.say(message);
            assertThat(c.hearOut()).matches("error PEN-07\\d\\d");
            assertThat(c.over()).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[[1,0,1,0]]",
                "[[0,0,10001,0]]",
                "[[0,10000,1,0]]",
                "[[0,9223372036854775807,1,0]]",
                "[[0,1,9223372036854775807,0]]",
                "[[0,0,1,4096]]",
                "[[0,0,4097,0]]",
                "[[0,0,1,9223372036854775807]]",
                "[[0,0,0,0]]",
                "[[2147483648,0,1,0]]"
            })
    void nothing_is_written_outside_of_a_slot_or_read_outside_of_a_tensor(String items) throws Exception {
        Path file = Conversation.model(directory, bytes(10_000));
        try (Conversation c = new Conversation()) {
            c.greet();
            c.open(file);
            c.slot(1, 4096);
            c.say("{'type':'fetch','fetch':1,'slot':1,'items':" + items + "}");
            assertThat(c.hearOut()).isEqualTo("error PEN-0713");
            assertThat(c.over()).isTrue();
        }
    }

    @Test
    void memory_that_could_be_taken_away_is_refused() throws Exception {
        Path file = Files.write(directory.resolve("f"), new byte[8192]);
        try (Conversation c = new Conversation();
                Fd plain = Fd.open(file, Fd.O_RDWR, 0)) {
            c.greet();
            c.slot(1, 8192, plain);
            assertThat(c.hearOut()).isEqualTo("error PEN-0713");
        }
        try (Conversation c = new Conversation();
                Fd small = SharedMemory.create("small", 4096)) {
            c.greet();
            c.slot(1, 8192, small);
            assertThat(c.hearOut()).isEqualTo("error PEN-0713");
        }
    }

    @Test
    void another_version_and_what_is_no_message_at_all_are_told_so() throws Exception {
        try (Conversation c = new Conversation()) {
            c.say("{'type':'hello','version':2}");
            assertThat(c.hearOut()).isEqualTo("hello error PEN-0713");
        }
        for (byte[] raw : new byte[][] {
            "GET / HTTP/1.1\r\n\r\n".getBytes(UTF_8),
            ByteBuffer.allocate(8).putInt(Frames.MAGIC).putInt(-1).array(),
            ByteBuffer.allocate(8)
                    .putInt(Frames.MAGIC)
                    .putInt(Integer.MAX_VALUE)
                    .array(),
            ByteBuffer.allocate(8).putInt(Frames.MAGIC).putInt(0).array(),
            Frames.frame("{\"a\":".repeat(10_000).getBytes(UTF_8)),
            Frames.frame(new byte[] {(byte) 0xff, (byte) 0xfe, 0, 1})
        }) {
            try (Conversation c = new Conversation()) {
                c.raw(raw);
                assertThat(c.hearOut()).isEqualTo("error PEN-0713");
                assertThat(c.over()).isTrue();
            }
        }
    }

    @Test
    void an_engine_that_goes_in_the_middle_of_a_load_leaves_nothing_behind() throws Exception {
        Path file = Conversation.model(directory, bytes(3_000_000));
        for (int i = 0; i < 20; i++) {
            try (Conversation c = new Conversation()) {
                c.greet();
                c.open(file);
                c.slot(1, 3_000_000);
                for (int k = 0; k < i; k++) {
                    c.say("{'type':'fetch','fetch':" + k + ",'slot':1,'items':[[0,0,3000000,0]]}");
                }
                c.hangUp();
                assertThat(c.over()).isTrue();
            }
        }
    }

    @Test
    void a_model_that_is_not_there_and_one_that_is_no_model_are_named() throws Exception {
        Path pickle = Files.writeString(directory.resolve("pytorch_model.bin"), "x");
        Path broken = Files.write(directory.resolve("broken.safetensors"), new byte[100]);
        for (Path path : new Path[] {directory.resolve("missing.safetensors"), pickle, broken}) {
            try (Conversation c = new Conversation()) {
                c.greet();
                c.say("{'type':'open','path':'" + path + "'}");
                assertThat(c.hear().path("message").asText()).contains(path.toString());
            }
        }
    }
}
