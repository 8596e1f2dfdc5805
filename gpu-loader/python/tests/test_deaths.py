"""Either side is killed at random points; the other says so and goes on."""

import os
import signal
import subprocess
import sys
import threading
import time
import unittest

import helper
import penstock
from penstock._client import Connection

ROUNDS = int(100 * helper.SCALE) if helper.LONG else 4

ENGINE = """
import sys, penstock
for name, tensor in penstock.iterate(sys.argv[1], framework="numpy", slot_bytes=1 << 20, **{sys.argv[2]: sys.argv[3]}):
    print(name, flush=True)
print("complete", flush=True)
"""


def model(place):
    path = place / "model.safetensors"
    helper.write(path, {f"t{i}": ("U8", (400_000,), bytes([i % 256]) * 400_000) for i in range(200)})
    return path


class Deaths(unittest.TestCase):
    def test_the_loader_is_killed(self):
        rng = helper.seeded()
        died = 0
        with helper.directory() as place:
            path = model(place)
            for _ in range(ROUNDS):
                with helper.service(place) as (socket, process):
                    after = rng.randrange(150)
                    killer = threading.Timer(rng.random() * 0.05, process.kill)
                    try:
                        for i, (name, tensor) in enumerate(
                            penstock.iterate(path, framework="numpy", socket=socket, slot_bytes=1 << 20, slots=3)
                        ):
                            if i == after:
                                killer.start()
                            self.assertEqual(int(tensor[0]), int(name[1:]) % 256)
                            self.assertEqual(int(tensor[-1]), int(name[1:]) % 256)
                            time.sleep(0.0005)
                    except penstock.LoaderDied as e:
                        died += 1
                        self.assertRegex(str(e), rf"the loader \(process {process.pid}\) ended after [1-9]\d* of \d+ fills")
                    killer.cancel()
                os.unlink(socket)
        self.assertGreater(died, 0)

    def test_what_is_said_of_a_dead_loader_counts_every_fill(self):
        with helper.directory() as place:
            path = model(place)
            for stop, expected in ((0, "before it had filled anything"), (1, r"after [1-9]\d* of [1-9]\d* fills"), (200, None)):
                with self.subTest(stop), helper.service(place) as (socket, process):
                    with Connection(str(path), service=socket) as connection:
                        tensors = connection.iterate(connection.rows, 1 << 20, 3) if stop else iter(())
                        for _ in range(stop):
                            next(tensors)
                        asked = connection._filled + len(connection._open)
                        process.kill()
                        process.wait()
                        with self.assertRaises(penstock.LoaderDied) as died:
                            list(tensors)
                            connection.finish()
                        said = expected or f"after {asked} of {asked} fills"
                        self.assertRegex(str(died.exception), rf"process {process.pid}\) ended {said}:")
                (place / "loader.sock").unlink()

    def test_an_engine_with_its_own_loader_is_killed_and_the_loader_ends_too(self):
        rng = helper.seeded()
        with helper.directory() as place:
            path = model(place)
            for _ in range(ROUNDS):
                engine = subprocess.Popen(
                    [sys.executable, "-c", ENGINE, path, "launcher", helper.LAUNCHER], stdout=subprocess.PIPE
                )
                for _ in range(rng.randrange(1, 150)):
                    engine.stdout.readline()
                children = self.children(engine.pid)
                engine.kill()
                engine.wait()
                engine.stdout.close()
                self.assertEqual(len(children), 1)
                self.assertTrue(self.gone(children[0]), "the loader outlived its engine")

    def test_an_engine_is_killed_and_the_shared_loader_serves_the_next(self):
        rng = helper.seeded()
        with helper.directory() as place, helper.service(place) as (socket, process):
            path = model(place)
            for _ in range(ROUNDS):
                engine = subprocess.Popen(
                    [sys.executable, "-c", ENGINE, path, "socket", socket], stdout=subprocess.PIPE
                )
                for _ in range(rng.randrange(1, 150)):
                    engine.stdout.readline()
                engine.send_signal(signal.SIGKILL)
                engine.wait()
                engine.stdout.close()
            self.assertIsNone(process.poll())
            self.assertEqual(len(penstock.load_state_dict(path, framework="numpy", socket=socket)), 200)
            deadline = time.monotonic() + 20
            while self.shared_mappings(process.pid) and time.monotonic() < deadline:
                time.sleep(0.05)
            self.assertEqual(self.shared_mappings(process.pid), 0, "memory of dead engines is still mapped")

    @staticmethod
    def children(pid):
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return [int(c) for c in f.read().split()]

    @staticmethod
    def gone(pid):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                with open(f"/proc/{pid}/stat") as f:
                    if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                        return True
            except FileNotFoundError:
                return True
            time.sleep(0.02)
        return False

    @staticmethod
    def shared_mappings(pid):
        with open(f"/proc/{pid}/maps") as f:
            return sum("penstock-slot" in line for line in f)


if __name__ == "__main__":
    unittest.main()
