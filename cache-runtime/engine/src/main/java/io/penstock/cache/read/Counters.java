package io.penstock.cache.read;

import java.util.concurrent.atomic.LongAdder;

/** What {@link ReadStats} shows. */
final class Counters {
    final LongAdder originBytes = new LongAdder();
    final LongAdder requests = new LongAdder();
    final LongAdder retries = new LongAdder();
    final LongAdder memoryBytes = new LongAdder();
    final LongAdder diskBytes = new LongAdder();
    final LongAdder writtenBytes = new LongAdder();
    final LongAdder droppedBytes = new LongAdder();
    final LongAdder unwrittenBytes = new LongAdder();
    final LongAdder failedReads = new LongAdder();
    final LongAdder readAheadBytes = new LongAdder();
}
