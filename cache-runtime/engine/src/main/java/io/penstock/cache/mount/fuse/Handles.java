package io.penstock.cache.mount.fuse;

import io.penstock.cache.read.ObjectReader;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;

/**
 * Open files by the number that the kernel knows them by. {@link #get} takes no lock and allocates nothing: an
 * open-addressed table that writers change one slot at a time.
 */
final class Handles {
    record Handle(long number, int node, ObjectReader reader) {
        boolean isOpen() {
            return reader != null;
        }
    }

    private static final VarHandle SLOT = MethodHandles.arrayElementVarHandle(Handle[].class);
    private static final Handle REMOVED = new Handle(0, -1, null);

    private volatile Handle[] slots = new Handle[64];
    private int used;
    private int live;

    Handle get(long number) {
        Handle[] table = slots;
        for (int i = hash(number); ; i++) {
            Handle handle = (Handle) SLOT.getAcquire(table, i & (table.length - 1));
            if (handle == null) {
                return null;
            }
            if (handle.number == number && handle.isOpen()) {
                return handle;
            }
        }
    }

    /** Returns the handle that had this number already, or null. */
    synchronized Handle putIfAbsent(Handle handle) {
        Handle present = get(handle.number);
        if (present != null) {
            return present;
        }
        if (2 * (used + 1) > slots.length) {
            rebuild();
        }
        insert(slots, handle);
        used++;
        live++;
        return null;
    }

    synchronized Handle remove(long number) {
        Handle[] table = slots;
        for (int i = hash(number); ; i++) {
            Handle handle = table[i & (table.length - 1)];
            if (handle == null) {
                return null;
            }
            if (handle.number == number && handle.isOpen()) {
                SLOT.setRelease(table, i & (table.length - 1), REMOVED);
                live--;
                return handle;
            }
        }
    }

    synchronized int size() {
        return live;
    }

    synchronized List<Handle> removeAll() {
        List<Handle> all = new ArrayList<>();
        for (Handle handle : slots) {
            if (handle != null && handle.isOpen()) {
                all.add(handle);
            }
        }
        slots = new Handle[64];
        used = 0;
        live = 0;
        return all;
    }

    private void rebuild() {
        Handle[] next = new Handle[Math.max(64, Integer.highestOneBit(live + 1) * 8)];
        for (Handle handle : slots) {
            if (handle != null && handle.isOpen()) {
                insert(next, handle);
            }
        }
        used = live;
        slots = next;
    }

    private static void insert(Handle[] table, Handle handle) {
        int i = hash(handle.number);
        while (table[i & (table.length - 1)] != null) {
            i++;
        }
        SLOT.setRelease(table, i & (table.length - 1), handle);
    }

    private static int hash(long number) {
        long mixed = number * 0x9E3779B97F4A7C15L;
        return (int) (mixed >>> 33);
    }
}
