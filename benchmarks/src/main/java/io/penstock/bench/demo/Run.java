package io.penstock.bench.demo;

import java.util.ArrayList;
import java.util.List;

/**
 * One start that was measured. Times are seconds since its beginning.
 *
 * @param spans in the order in which they began
 */
record Run(
        String name,
        String how,
        List<Span> spans,
        double firstByte,
        double firstTensor,
        double end,
        long bytes,
        int tensors,
        long originBytes,
        long originRequests) {

    /** Something that took time, or (end = begin) happened. */
    record Span(String name, double begin, double end) {}

    Run {
        spans = List.copyOf(spans);
    }

    /** Collects what happens while a run goes on. For one thread. */
    static final class Recorder {
        private final long begin = System.nanoTime();
        private final List<Span> spans = new ArrayList<>();
        private double firstByte = -1;
        private double firstTensor = -1;
        private long bytes;
        private int tensors;

        double now() {
            return (System.nanoTime() - begin) / 1e9;
        }

        void span(String name, double since) {
            spans.add(new Span(name, since, now()));
        }

        void happened(String name) {
            spans.add(new Span(name, now(), now()));
        }

        /** A byte of the model has been seen. */
        void arrived() {
            if (firstByte < 0) {
                firstByte = now();
            }
        }

        void verified(Model.ModelFile file, Model.Part part) {
            arrived();
            bytes += part.length();
            if (file.shard()) {
                tensors++;
                if (firstTensor < 0) {
                    firstTensor = now();
                }
            }
        }

        long bytes() {
            return bytes;
        }

        Run finish(String name, String how, long originBytes, long originRequests) {
            return new Run(
                    name, how, spans, firstByte, firstTensor, now(), bytes, tensors, originBytes, originRequests);
        }
    }
}
