package io.penstock.cache.chunk;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** A fixed number of bits, each changed atomically; reads take no lock. */
final class AtomicBits {
    private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);

    private final long[] words;
    private final int size;

    AtomicBits(int size) {
        this.size = size;
        words = new long[(size + 63) >>> 6];
    }

    int size() {
        return size;
    }

    /** What happened before the {@link #set} that made this true is visible afterwards. */
    boolean get(int index) {
        return ((long) WORD.getAcquire(words, index >>> 6) >>> index & 1) != 0;
    }

    /** Returns whether the bit changed. */
    boolean set(int index) {
        long mask = 1L << index;
        return ((long) WORD.getAndBitwiseOr(words, index >>> 6, mask) & mask) == 0;
    }

    /** Returns whether the bit changed. */
    boolean clear(int index) {
        long mask = 1L << index;
        return ((long) WORD.getAndBitwiseAnd(words, index >>> 6, ~mask) & mask) != 0;
    }

    int wordCount() {
        return words.length;
    }

    long word(int index) {
        return (long) WORD.getAcquire(words, index);
    }

    /** Sets all the bits that {@code mask} has in one word. */
    void setWord(int index, long mask) {
        long ignored = (long) WORD.getAndBitwiseOr(words, index, mask);
    }

    /** Empties one word and returns what it held. */
    long drainWord(int index) {
        return (long) WORD.getAndSet(words, index, 0L);
    }

    int count() {
        int count = 0;
        for (int i = 0; i < words.length; i++) {
            count += Long.bitCount(word(i));
        }
        return count;
    }
}
