package io.penstock.gpu.service;

import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;
import java.util.RandomAccess;

/** Dimensions of a tensor in as few bytes as they have, seven bits in each: never more than their text in a header. */
final class Shape extends AbstractList<Long> implements RandomAccess {
    private static final int MORE = 0x80;
    private static final int CACHED = 128;

    private final byte[] packed;

    private Shape(byte[] packed) {
        this.packed = packed;
    }

    /** The first {@code count} of these numbers, none of them below zero. */
    static List<Long> of(long[] numbers, int count) {
        if (count == 0) {
            return List.of();
        }
        if (count == 1 && numbers[0] < CACHED) {
            return List.of(numbers[0]);
        }
        int bytes = 0;
        for (int i = 0; i < count; i++) {
            bytes += length(numbers[i]);
        }
        byte[] packed = new byte[bytes];
        int at = 0;
        for (int i = 0; i < count; i++) {
            long rest = numbers[i];
            while (rest >= MORE) {
                packed[at++] = (byte) (rest | MORE);
                rest >>>= 7;
            }
            packed[at++] = (byte) rest;
        }
        return new Shape(packed);
    }

    private static int length(long number) {
        return Math.max(1, (Long.SIZE - Long.numberOfLeadingZeros(number) + 6) / 7);
    }

    @Override
    public Long get(int index) {
        int at = 0;
        for (int before = 0; before < index && at < packed.length; at++) {
            before += packed[at] >= 0 ? 1 : 0;
        }
        if (index < 0 || at >= packed.length) {
            throw new IndexOutOfBoundsException(index);
        }
        long number = packed[at] & (MORE - 1);
        for (int shift = 7; packed[at] < 0; shift += 7) {
            number |= (long) (packed[++at] & (MORE - 1)) << shift;
        }
        return number;
    }

    @Override
    public int size() {
        int size = 0;
        for (byte b : packed) {
            size += b >= 0 ? 1 : 0;
        }
        return size;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape shape ? Arrays.equals(packed, shape.packed) : super.equals(other);
    }

    @Override
    public int hashCode() {
        return super.hashCode();
    }
}
