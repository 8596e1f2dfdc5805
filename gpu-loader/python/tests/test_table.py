import random
import unittest

import helper
from penstock._table import PAGE, Row, batches


class Batches(unittest.TestCase):
    def test_every_tensor_has_a_place_of_its_own_in_order(self):
        rng = helper.seeded()
        for _ in range(300):
            rows, slot = self.random_rows(rng), rng.choice([64, 5000, 100_000])
            seen = []
            for batch in batches(rows, slot, ramp=rng.random() < 0.5):
                end = 0
                for placed in batch.placed:
                    self.assertGreaterEqual(placed.at, end)
                    self.assertEqual(placed.at % placed.row.alignment, 0 if placed.row.offset % placed.row.alignment == 0 else placed.at % placed.row.alignment)
                    end = placed.at + placed.row.length
                    seen.append(placed.row)
                self.assertEqual(end, batch.size)
                self.assertTrue(batch.size <= slot or len(batch.placed) == 1, batch)
            self.assertEqual(seen, rows)

    def test_neighbours_stay_neighbours_and_pages_stay_pages(self):
        rows = [Row(0, "a", "F32", (3,), 0, 5000, 12), Row(1, "b", "F32", (2,), 0, 5012, 8), Row(2, "c", "F32", (2,), 1, 400, 8)]
        (batch,) = batches(rows, 1 << 20, ramp=False)
        self.assertEqual([p.at for p in batch.placed], [5000 % PAGE, 5000 % PAGE + 12, PAGE + 400 if 400 < 5000 % PAGE + 20 else 400])

    @staticmethod
    def random_rows(rng: random.Random):
        rows, at = [], rng.randrange(10_000)
        for i in range(rng.randrange(1, 40)):
            dtype = rng.choice(["F32", "F16", "U8"])
            count = rng.choice([0, 1, rng.randrange(30_000)])
            length = count * helper.SIZES[dtype]
            rows.append(Row(i, str(i), dtype, (count,), i // 20, at, length))
            at += length + rng.choice([0, 0, 0, rng.randrange(9000)])
        return rows


if __name__ == "__main__":
    unittest.main()
