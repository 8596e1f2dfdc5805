package io.penstock.gpu.service;

import io.penstock.cache.model.PenstockException;
import io.penstock.gpu.pipeline.Fill;
import io.penstock.gpu.service.Protocol.Item;
import java.util.ArrayList;
import java.util.List;

/** From tensors to stretches of files: what lies side by side both in the file and in the slot is read at once. */
final class Parts {
    private Parts() {}

    /** @throws PenstockException an item is not within its tensor, or not within the slot */
    static List<Fill.Part> of(List<Item> items, Model model, long slotBytes) throws PenstockException {
        List<Fill.Part> parts = new ArrayList<>();
        Fill.Part last = null;
        for (Item item : items) {
            if (item.tensor() >= model.tensors().size()) {
                throw Protocol.broken("there is no tensor " + item.tensor());
            }
            Model.Tensor tensor = model.tensors().get(item.tensor());
            if (item.length() == 0
                    || item.start() > tensor.length() - item.length()
                    || item.at() > slotBytes - item.length()) {
                throw Protocol.broken(
                        "bytes " + item.start() + "+" + item.length() + " of tensor " + tensor.name() + ", which has "
                                + tensor.length() + ", do not fit at " + item.at() + " of a slot of " + slotBytes);
            }
            Fill.Part part = new Fill.Part(tensor.file(), tensor.offset() + item.start(), item.length(), item.at());
            if (last != null && follows(last, part)) {
                last = new Fill.Part(last.file(), last.fileOffset(), last.length() + part.length(), last.at());
                parts.set(parts.size() - 1, last);
            } else {
                parts.add(part);
                last = part;
            }
        }
        return parts;
    }

    private static boolean follows(Fill.Part last, Fill.Part next) {
        return last.file() == next.file()
                && last.fileOffset() + last.length() == next.fileOffset()
                && last.at() + last.length() == next.at();
    }
}
