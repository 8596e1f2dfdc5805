package io.penstock.gpu.service;

import io.penstock.gpu.device.Destination;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The memory that an engine has offered. A slot that is dropped while it is filled is given back when the fill ends. */
final class Slots implements AutoCloseable {
    static final int MOST = 4096;
    private static final Logger LOG = LoggerFactory.getLogger(Slots.class);

    private final Map<Integer, Slot> slots = new HashMap<>();
    private final AtomicInteger parts = new AtomicInteger();

    /** One of them. */
    final class Slot {
        private final Destination memory;
        private int fills;
        private boolean dropped;

        private Slot(Destination memory) {
            this.memory = memory;
        }

        Destination memory() {
            return memory;
        }

        synchronized void begin(int count) {
            fills++;
            parts.addAndGet(count);
        }

        synchronized void end(int count) {
            fills--;
            parts.addAndGet(-count);
            closeIfUnused();
        }

        synchronized void drop() {
            dropped = true;
            closeIfUnused();
        }

        private void closeIfUnused() {
            if (dropped && fills == 0) {
                try {
                    memory.close();
                } catch (IOException e) {
                    LOG.warn("memory of an engine was not given back", e);
                }
            }
        }
    }

    /** @param memory closed with the slot, and when this fails */
    void add(int number, Destination memory) throws IOException {
        if (slots.size() >= MOST || slots.containsKey(number)) {
            memory.close();
            throw Protocol.broken(
                    slots.size() >= MOST ? "more than " + MOST + " slots" : "two slots have the number " + number);
        }
        slots.put(number, new Slot(memory));
    }

    Slot get(int number) throws IOException {
        Slot slot = slots.get(number);
        if (slot == null) {
            throw Protocol.broken("there is no slot " + number);
        }
        return slot;
    }

    void drop(int number) throws IOException {
        get(number).drop();
        slots.remove(number);
    }

    /** Parts of fills that are not done. */
    int partsUnderWay() {
        return parts.get();
    }

    @Override
    public void close() {
        slots.values().forEach(Slot::drop);
        slots.clear();
    }
}
