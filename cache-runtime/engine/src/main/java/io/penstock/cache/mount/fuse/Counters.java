package io.penstock.cache.mount.fuse;

import java.util.concurrent.atomic.LongAdder;

final class Counters {
    final LongAdder requests = new LongAdder();
    final LongAdder reads = new LongAdder();
    final LongAdder readBytes = new LongAdder();
    final LongAdder waits = new LongAdder();
    final LongAdder failures = new LongAdder();
    final LongAdder interrupts = new LongAdder();
    final LongAdder opens = new LongAdder();
    final LongAdder passthroughOpens = new LongAdder();

    SessionStats stats(int openHandles) {
        return new SessionStats(
                requests.sum(),
                reads.sum(),
                readBytes.sum(),
                waits.sum(),
                failures.sum(),
                interrupts.sum(),
                opens.sum(),
                passthroughOpens.sum(),
                openHandles);
    }
}
