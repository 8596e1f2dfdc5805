package io.penstock.gpu.pipeline;

import io.penstock.cache.model.PenstockException;
import io.penstock.gpu.device.Destination;
import io.penstock.gpu.device.Device;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/**
 * A load without an engine: tensors go round a ring of memory of the device's, each to be looked at before its place is filled
 * again. One that is longer than a slot has a slot of its own.
 */
public final class RingLoad {
    private final Device device;
    private final Pipeline pipeline;
    private final long slotBytes;
    private final int slots;
    private final Deque<Destination> free = new ArrayDeque<>();
    private final Deque<Batch> filling = new ArrayDeque<>();

    /** What is done with a tensor: {@code length} bytes at {@code at}, there until this returns. */
    public interface Visitor {
        void visit(int index, Destination memory, long at, long length) throws IOException;
    }

    private record Placed(int index, long at, long length) {}

    private record Batch(List<Placed> tensors, Destination memory, Fill fill, CountDownLatch done) {}

    public RingLoad(Device device, Pipeline pipeline, long slotBytes, int slots) {
        this.device = device;
        this.pipeline = pipeline;
        this.slotBytes = slotBytes;
        this.slots = slots;
    }

    /**
     * Loads, in order; the visitor is called on this thread.
     *
     * @param tensors where they are: {@code at} is not used
     */
    public void run(List<Fill.Part> tensors, Visitor visitor) throws IOException, InterruptedException {
        int next = 0;
        try {
            while (next < tensors.size() || !filling.isEmpty()) {
                while (next < tensors.size() && filling.size() < slots) {
                    next = begin(tensors, next);
                }
                Batch batch = filling.peekFirst();
                batch.done.await();
                if (batch.fill.failure() != null) {
                    throw again(batch.fill.failure());
                }
                for (Placed tensor : batch.tensors) {
                    visitor.visit(tensor.index, batch.memory, tensor.at, tensor.length);
                }
                filling.removeFirst();
                giveBack(batch.memory);
            }
        } finally {
            end();
        }
    }

    private static PenstockException again(PenstockException e) {
        return new PenstockException(e.code(), e.getMessage(), e.remedy(), e.retryable(), e);
    }

    private int begin(List<Fill.Part> tensors, int from) throws IOException {
        List<Placed> placed = new ArrayList<>();
        List<Fill.Part> parts = new ArrayList<>();
        long end = 0;
        int i = from;
        for (; i < tensors.size(); i++) {
            Fill.Part tensor = tensors.get(i);
            Fill.Part last = parts.isEmpty() ? null : parts.getLast();
            boolean follows = last != null
                    && last.file() == tensor.file()
                    && last.fileOffset() + last.length() == tensor.fileOffset();
            long at = follows ? end : end + Math.floorMod(tensor.fileOffset() - end, 4096L);
            if (!placed.isEmpty() && at + tensor.length() > slotBytes) {
                break;
            }
            placed.add(new Placed(i, at, tensor.length()));
            end = at + tensor.length();
            if (follows) {
                long length = last.length() + tensor.length();
                parts.set(parts.size() - 1, new Fill.Part(last.file(), last.fileOffset(), length, last.at()));
            } else if (tensor.length() > 0) {
                parts.add(new Fill.Part(tensor.file(), tensor.fileOffset(), tensor.length(), at));
            }
        }
        Destination memory =
                end <= slotBytes && !free.isEmpty() ? free.pop() : device.allocate(Math.max(slotBytes, end));
        CountDownLatch done = new CountDownLatch(1);
        Fill fill = new Fill(memory, parts, _ -> done.countDown());
        filling.addLast(new Batch(placed, memory, fill, done));
        pipeline.begin(fill);
        return i;
    }

    private void giveBack(Destination memory) throws IOException {
        if (memory.bytes() == slotBytes) {
            free.push(memory);
        } else {
            memory.close();
        }
    }

    private void end() throws IOException {
        pipeline.close(); // nothing touches the memory after that
        for (Batch batch : filling) {
            batch.memory.close();
        }
        for (Destination memory : free) {
            memory.close();
        }
    }
}
