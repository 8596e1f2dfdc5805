package io.penstock.operator.metrics;

import io.fabric8.kubernetes.client.http.AsyncBody;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.fabric8.kubernetes.client.http.Interceptor;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Counts what the API server is asked, by what is asked for and never by whose. Thread-safe. */
final class ApiCalls implements Interceptor {
    private final Sink sink;

    /** Takes what was counted. */
    @FunctionalInterface
    interface Sink {
        void called(String verb, String resource, String status);
    }

    /**
     * What a call is about.
     *
     * @param verb get, list, watch, create, update, patch, delete, or the method
     * @param resource plural, with its subresource; other: none of the API
     */
    record Call(String verb, String resource) {
        static final String OTHER = "other";

        static Call of(String method, URI uri) {
            List<String> path = Arrays.stream(uri.getPath().split("/", -1))
                    .filter(p -> !p.isEmpty())
                    .toList();
            int skip = path.isEmpty()
                    ? 0
                    : switch (path.getFirst()) {
                        case "api" -> 2;
                        case "apis" -> 3;
                        default -> path.size();
                    };
            List<String> rest = path.subList(Math.min(skip, path.size()), path.size());
            if (rest.size() > 2 && rest.getFirst().equals("namespaces")) {
                rest = rest.subList(2, rest.size());
            }
            if (rest.isEmpty()) {
                return new Call(method.toLowerCase(Locale.ROOT), OTHER);
            }
            boolean one = rest.size() > 1;
            String resource = rest.size() > 2 ? rest.getFirst() + "/" + rest.get(2) : rest.getFirst();
            return new Call(verb(method, one, uri.getQuery()), resource);
        }

        private static String verb(String method, boolean one, String query) {
            return switch (method) {
                case "GET" -> query != null && query.contains("watch=true") ? "watch" : one ? "get" : "list";
                case "POST" -> "create";
                case "PUT" -> "update";
                default -> method.toLowerCase(Locale.ROOT);
            };
        }
    }

    ApiCalls(Sink sink) {
        this.sink = sink;
    }

    @Override
    public void after(HttpRequest request, HttpResponse<?> response, AsyncBody.Consumer<List<ByteBuffer>> consumer) {
        called(request, Integer.toString(response.code()));
    }

    @Override
    public void afterConnectionFailure(HttpRequest request, Throwable failure) {
        called(request, "failed");
    }

    private void called(HttpRequest request, String status) {
        Call call = Call.of(request.method(), request.uri());
        sink.called(call.verb(), call.resource(), status);
    }
}
