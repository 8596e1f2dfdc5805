"""Memory that is filled again rather than made anew."""

import random
import unittest
from collections import deque

import helper  # noqa: F401
from penstock._ring import Ring

USUAL = 16


class FakeSlot:
    def __init__(self, size):
        self.size = size
        self.idle = False

    def wait_idle(self):
        self.idle = True


class Engine:
    """Takes, fills and gives back in the order of an engine that lets go of a tensor when it has the next."""

    def __init__(self, sizes, count=4):
        self.live = set()
        self.made = self.peak = self.most_long = 0
        ring = Ring(USUAL, count, sizes, self.live.discard)
        held = deque()
        for size in sizes:
            slot = ring.take(size)
            if slot is None:
                slot = FakeSlot(size)
                self.live.add(slot)
                self.made += size
            assert slot.size >= size, "too short"
            assert slot not in held, "still in use"
            ring.filled(slot)
            self.peak = max(self.peak, sum(s.size for s in self.live))
            self.most_long = max(self.most_long, sum(s.size > USUAL for s in self.live))
            held.append(slot)
            if len(held) > 1:
                ring.give(held.popleft())
        ring.close()
        self.left = self.live - set(held)


class RingTest(unittest.TestCase):
    def test_layers_of_unlike_tensors_are_loaded_into_the_same_memory(self):
        layer = [154, 154, 154, USUAL, 43, 43, USUAL]
        engine = Engine([693, *(layer * 80), 693])
        self.assertLess(engine.made, 693 * 2 + 154 * 5 + 43 * 3 + USUAL * 8)
        self.assertEqual(engine.left, set())

    def test_memory_is_bounded_by_three_of_the_longest(self):
        draw = random.Random(7)
        for _ in range(200):
            sizes = [draw.choice([USUAL, USUAL, draw.randint(USUAL + 1, 1000)]) for _ in range(draw.randint(1, 300))]
            engine = Engine(sizes)
            self.assertLessEqual(engine.most_long, 4, sizes)
            self.assertLessEqual(engine.peak, 4 * max(sizes) + 6 * USUAL, sizes)
            self.assertEqual(engine.left, set(), sizes)

    def test_what_is_much_longer_than_all_that_comes_is_let_go(self):
        engine = Engine([1000, 1000, 1000, 20, 20, 20, 20, 20])
        self.assertEqual(engine.made, 2 * 1000 + 2 * 20)
        self.assertEqual(sum(s.size for s in engine.live), 20, "the engine still has its last tensor")

    def test_a_slot_is_kept_only_when_no_device_reads_it_any_more(self):
        dropped = []
        ring = Ring(USUAL, 1, [USUAL] * 3, dropped.append)
        self.assertIsNone(ring.take(USUAL))
        slot = FakeSlot(USUAL)
        ring.filled(slot)
        ring.give(slot)
        self.assertTrue(slot.idle)
        self.assertIs(ring.take(USUAL), slot)
        self.assertEqual(dropped, [])


if __name__ == "__main__":
    unittest.main()
