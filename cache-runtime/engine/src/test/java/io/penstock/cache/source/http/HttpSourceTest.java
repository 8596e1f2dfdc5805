package io.penstock.cache.source.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.cache.model.ErrorCode;
import io.penstock.cache.model.ObjectId;
import io.penstock.cache.source.Fault;
import io.penstock.cache.source.FaultyOrigin;
import io.penstock.cache.source.Percent;
import io.penstock.cache.source.Source;
import io.penstock.cache.source.SourceContract;
import io.penstock.cache.source.SourceException;
import io.penstock.cache.source.Sources;
import io.penstock.cache.source.TestOrigin;
import io.penstock.cache.source.net.NetOptions;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;

class HttpSourceTest extends SourceContract {
    @Override
    protected TestOrigin origin() throws Exception {
        return new Web(FaultyOrigin.start(), Map.of());
    }

    @Test
    void aRedirectIsFollowedButTheTokenStays() throws Exception {
        try (Web web = new Web(FaultyOrigin.start(), Map.of("bearer-token", "planted-secret"));
                FaultyOrigin other = FaultyOrigin.start()) {
            byte[] content = bytes(3, 1000);
            other.put("moved", content);
            web.put("x", content);
            web.origin.script(r -> r.path().equals("/x")
                    ? "HTTP/1.1 302 Found\r\nLocation: " + other.endpoint()
                            + "/moved?signature=planted-query\r\nContent-Length: 0\r\n\r\n"
                    : null);

            try (Source source = web.open("x")) {
                ObjectId object = only(source);
                assertThat(object.size()).isEqualTo(1000);
                assertThat(read(source, object, 100, 5))
                        .containsExactly(java.util.Arrays.copyOfRange(content, 100, 105));
                assertThat(other.lastRead().headers()).doesNotContainKey("authorization");
                assertThat(other.lastRead().target()).contains("planted-query");
            }
        }
    }

    @Test
    void theTokenGoesToTheOrigin() throws Exception {
        try (Web web = new Web(FaultyOrigin.start(), Map.of("bearer-token", "planted-secret"))) {
            web.put("x", bytes(1, 10));
            try (Source source = web.open("x")) {
                read(source, only(source), 0, 10);
                assertThat(web.origin.lastRead().headers()).containsEntry("authorization", "Bearer planted-secret");
                assertThat(source.location()).doesNotContain("planted");
            }
        }
    }

    @Test
    void anAddressSignedForGetNeedsNoHead() throws Exception {
        try (Web web = new Web(FaultyOrigin.start(), Map.of())) {
            web.put("x", bytes(1, 10));
            web.origin.script(r -> r.method().equals("HEAD") || !r.target().endsWith("?sig=planted")
                    ? "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
                    : null);
            try (Sources sources = new Sources(NetOptions.DEFAULT, 1);
                    Source source = sources.open(web.origin.endpoint() + "/x?sig=planted", Map.of(), Map.of())) {
                ObjectId object = only(source);
                assertThat(object.toString()).doesNotContain("planted");
                assertThat(read(source, object, 0, 10)).isEqualTo(bytes(1, 10));
            }
        }
    }

    @Test
    void withoutEtagTheModificationTimeIsTheVersion() throws Exception {
        try (Web web = new Web(FaultyOrigin.start(), Map.of())) {
            String head =
                    "HTTP/1.1 200 OK\r\nLast-Modified: Sun, 22 Nov 2026 10:00:00 GMT\r\nContent-Length: 4\r\n\r\n";
            String[] body = {
                "HTTP/1.1 206 Partial\r\nLast-Modified: Sun, 22 Nov 2026 10:00:00 GMT\r\n"
                        + "Content-Range: bytes 0-3/4\r\nContent-Length: 4\r\n\r\nabcd"
            };
            web.origin.script(r -> r.method().equals("HEAD") ? head : body[0]);
            try (Source source = web.file("x")) {
                ObjectId object = only(source);
                assertThat(read(source, object, 0, 4)).containsExactly('a', 'b', 'c', 'd');
                body[0] = body[0].replace("10:00:00", "11:00:00");
                assertThatThrownBy(() -> read(source, object, 0, 4)).isInstanceOf(AssertionError.class);
            }
        }
    }

    @Test
    void aServerWithoutVersionsIsRefused() throws Exception {
        try (Web web = new Web(FaultyOrigin.start(), Map.of())) {
            web.origin.script(r -> "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
            try (Source source = web.file("x")) {
                assertThatThrownBy(() -> only(source))
                        .isInstanceOfSatisfying(
                                SourceException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ORIGIN_PROTOCOL));
            }
        }
    }

    @Test
    void chunkedAnswersAndThoseBeforeACloseAreRight() throws Exception {
        try (Web web = new Web(FaultyOrigin.start(), Map.of())) {
            byte[] content = bytes(5, 1_000_000);
            web.put("x", content);
            try (Source source = web.open("x")) {
                ObjectId object = only(source);
                for (Fault fault : new Fault[] {Fault.CHUNKED, Fault.CLOSES_AFTER, Fault.CHUNKED, Fault.CLOSES_AFTER}) {
                    web.origin.fail(fault, 1);
                    assertThat(read(source, object, 0, content.length)).isEqualTo(content);
                }
            }
        }
    }

    @Test
    void locationsAreCheckedAndTheirSecretsHidden() {
        try (Sources sources = new Sources(NetOptions.DEFAULT, 1)) {
            for (String bad : new String[] {"http://", "http://u:planted@/x", "http://h/a b", "nothing", "x://y"}) {
                assertThatThrownBy(() -> sources.open(bad, Map.of(), Map.of()))
                        .isInstanceOfSatisfying(SourceException.class, e -> {
                            assertThat(e.code()).isEqualTo(ErrorCode.BAD_LOCATION);
                            assertThat(e).hasMessageNotContaining("planted");
                        });
            }
            assertThatThrownBy(() -> sources.open("http://h/", Map.of("regoin", "x"), Map.of()))
                    .isInstanceOfSatisfying(
                            SourceException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.UNKNOWN_KEY));
        }
    }

    private static final class Web implements TestOrigin {
        private final FaultyOrigin origin;
        private final Map<String, String> options;
        private final Sources sources = new Sources(NetOptions.DEFAULT, 1);

        Web(FaultyOrigin origin, Map<String, String> options) {
            this.origin = origin;
            this.options = options;
        }

        @Override
        public void put(String key, byte[] content) {
            origin.put(key, content);
        }

        @Override
        public void remove(String key) {
            origin.remove(key);
        }

        @Override
        public Source open(String key) throws SourceException {
            boolean directory = !key.isEmpty() && !key.endsWith("/") && !origin.has(key);
            return file(Percent.path(key) + (directory ? "/" : ""));
        }

        Source file(String path) throws SourceException {
            return sources.open(origin.endpoint() + "/" + path, options, Map.of());
        }

        @Override
        public void close() throws IOException {
            sources.close();
            origin.close();
        }
    }
}
