package io.penstock.bench.demo;

import java.util.ArrayList;
import java.util.List;

/**
 * One start that was measured. Times are seconds since its beginning.
 *
 * @param spans in the order in which they began
 * @param progress how many bytes had been verified when; a point at most every 10 ms, and the last
 */
record Run(
        String name,
        String how,
        List<Span> spans,
        List<Point> progress,
        double firstByte,
        double firstTensor,
        double end,
        long bytes,
        int tensors,
        long originBytes,
        long originRequests) {

    /** Something that took time, or (end = begin) happened. */
    record Span(String name, double begin, double end) {}

    /** So many bytes had been verified by then. */
    record Point(double at, long bytes) {}

    Run {
        spans = List.copyOf(spans);
        progress = List.copyOf(progress);
    }

    /** Collects what happens while a run goes on; times are {@link System#nanoTime}. For one thread. */
    static final class Recorder {
        private static final double STEP = 0.01;

        private final long zero = System.nanoTime();
        private final List<Span> spans = new ArrayList<>();
        private final List<Point> progress = new ArrayList<>();
        private double firstByte = -1;
        private double firstTensor = -1;
        private double end = -1;
        private long bytes;
        private int tensors;

        private double at(long time) {
            return (time - zero) / 1e9;
        }

        void span(String name, long begin, long end) {
            spans.add(new Span(name, at(begin), at(end)));
        }

        void happened(String name, long time) {
            span(name, time, time);
        }

        /** A byte of the model has been seen. */
        void arrived(long time) {
            if (firstByte < 0) {
                firstByte = at(time);
            }
        }

        /** A tensor ({@code tensor}) or a small file has been read and found right. */
        void verified(boolean tensor, long length, long time) {
            arrived(time);
            bytes += length;
            if (progress.isEmpty() || at(time) - progress.getLast().at() >= STEP) {
                progress.add(new Point(at(time), bytes));
            }
            if (tensor) {
                tensors++;
                if (firstTensor < 0) {
                    firstTensor = at(time);
                }
            }
        }

        void ended(long time) {
            end = at(time);
        }

        long bytes() {
            return bytes;
        }

        Run finish(String name, String how, long originBytes, long originRequests) {
            progress.add(new Point(end, bytes));
            return new Run(
                    name,
                    how,
                    spans,
                    progress,
                    firstByte,
                    firstTensor,
                    end,
                    bytes,
                    tensors,
                    originBytes,
                    originRequests);
        }
    }
}
