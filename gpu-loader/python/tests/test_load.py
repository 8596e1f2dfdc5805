import gc
import json
import unittest

import helper
import numpy
import penstock

FRAMEWORKS = ["numpy"] + (["torch"] if helper.have("torch") else [])


class Load(unittest.TestCase):
    """Against a real loader process."""

    @classmethod
    def setUpClass(cls):
        cls.place = helper.directory()
        cls.dir = cls.place.__enter__()
        cls.running = helper.service(cls.dir)
        cls.socket, cls.process = cls.running.__enter__()
        cls.rng = helper.seeded()

    @classmethod
    def tearDownClass(cls):
        cls.running.__exit__(None, None, None)
        cls.place.__exit__(None, None, None)

    def model(self, name, shards=3, count=40, largest=300_000, **options):
        path = self.dir / name
        path.mkdir()
        everything, index = {}, {}
        for i in range(shards):
            tensors = {f"s{i}.{n}": t for n, t in helper.some(self.rng, count, largest, **options).items()}
            file = f"model-{i + 1:05d}-of-{shards:05d}.safetensors"
            helper.write(path / file, tensors, {"format": "pt"})
            everything.update(tensors)
            index.update(dict.fromkeys(tensors, file))
        (path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
        (path / "pytorch_model.bin").write_bytes(b"never opened")
        return path, everything

    def check(self, found, expected):
        self.assertEqual(found.keys(), expected.keys())
        for name, (_, shape, data) in expected.items():
            self.assertEqual(tuple(found[name].shape), tuple(shape), name)
            self.assertEqual(helper.raw(found[name]), data, name)

    def test_all_at_once(self):
        path, expected = self.model("all")
        for framework in FRAMEWORKS:
            for size in (0, 100_000):
                with self.subTest(framework=framework, size=size):
                    stats = []
                    found = penstock.load_state_dict(
                        path, framework=framework, socket=self.socket, slot_bytes=size, report=stats.append
                    )
                    self.check(found, expected)
                    self.assertEqual(stats[0].device, "host memory (no GPU)")
                    self.assertEqual(stats[0].bytes, sum(len(d) for _, _, d in expected.values()))
                    self.assertEqual([s["stage"] for s in stats[0].loader["stages"]], ["open", "read"])

    def test_one_after_the_other_with_few_slots_and_the_ring_stays_small(self):
        path, expected = self.model("one", largest=50_000)
        for framework in FRAMEWORKS:
            stats, names = [], []
            slots = {"slot_bytes": 64 << 10, "slots": 3}
            for name, tensor in penstock.iterate(
                path, framework=framework, socket=self.socket, report=stats.append, **slots
            ):
                self.assertEqual(helper.raw(tensor), expected[name][2], name)
                names.append(name)
            self.assertEqual(sorted(names), sorted(expected))
            self.assertLessEqual(stats[0].slots, 5)

    def test_tensors_that_are_kept_stay_as_they_are(self):
        path, expected = self.model("kept")
        for framework in FRAMEWORKS:
            kept = {}
            for name, tensor in penstock.iterate(
                path, framework=framework, socket=self.socket, slot_bytes=64 << 10, slots=2
            ):
                if self.rng.random() < 0.3:
                    kept[name] = tensor.reshape(-1)[1:]  # a view keeps as well
                elif self.rng.random() < 0.5:
                    kept[name] = tensor
            gc.collect()
            for name, tensor in kept.items():
                self.assertTrue(expected[name][2].endswith(helper.raw(tensor)), name)

    def test_an_iteration_that_is_given_up_leaves_the_loader_alive(self):
        path, expected = self.model("given-up", count=10)
        for stop in range(5):
            for i, _ in enumerate(penstock.iterate(path, framework="numpy", socket=self.socket, slot_bytes=50_000)):
                if i == stop:
                    break
        self.check(penstock.load_state_dict(path, framework="numpy", socket=self.socket), expected)

    def test_only_what_is_wanted_is_read(self):
        path, expected = self.model("wanted")
        stats = []
        found = penstock.load_state_dict(
            path, framework="numpy", socket=self.socket, wanted=lambda n: n.startswith("s1."), report=stats.append
        )
        part = {n: t for n, t in expected.items() if n.startswith("s1.")}
        self.check(found, part)
        read = next(s for s in stats[0].loader["stages"] if s["stage"] == "read")
        self.assertEqual(read["bytes"], sum(len(d) for _, _, d in part.values()))

    def test_files_by_name(self):
        path, expected = self.model("files")
        files = sorted(path.glob("*.safetensors"))[1:]
        found = penstock.load_state_dict(files, framework="numpy", socket=self.socket)
        self.check(found, {n: t for n, t in expected.items() if not n.startswith("s0.")})

    def test_the_reader(self):
        file = self.dir / "reader.safetensors"
        matrix = numpy.arange(60_000, dtype=numpy.float32).reshape(300, 200)
        tensors = {"b": ("F32", (300, 200), matrix.tobytes()), "a": ("I64", (), (7).to_bytes(8, "little")), "c": ("U8", (0,), b"")}
        helper.write(file, tensors, {"format": "np"})
        for framework in FRAMEWORKS:
            with penstock.safe_open(file, framework, socket=self.socket) as opened:
                self.assertEqual(list(opened.keys()), ["a", "b", "c"])
                self.assertEqual(opened.offset_keys(), ["b", "a", "c"])
                self.assertEqual(opened.metadata(), {"format": "np"})
                self.check({n: opened.get_tensor(n) for n in opened.keys()}, tensors)
                part = opened.get_slice("b")
                self.assertEqual((part.get_shape(), part.get_dtype()), ([300, 200], "F32"))
                for index in (slice(10, 20), slice(-5, None), slice(20, 10), (slice(3, 9), slice(1, 4)), (slice(None), 7), 5, ..., slice(None, None, 7)):
                    self.assertEqual(helper.raw(part[index]), matrix[index].tobytes(), index)
                with self.assertRaisesRegex(penstock.PenstockError, "no tensor x"):
                    opened.get_tensor("x")
            with self.assertRaisesRegex(penstock.PenstockError, "closed"):
                opened.get_tensor("b")

    @unittest.skipUnless(helper.have("torch"), "SKIPPED: torch is not installed")
    def test_narrow_types_of_torch(self):
        import torch

        file = self.dir / "narrow.safetensors"
        helper.write(
            file,
            {
                "bf16": ("BF16", (2, 3), self.rng.randbytes(12)),
                "fp8": ("F8_E4M3", (4,), self.rng.randbytes(4)),
                "scale": ("F8_E8M0", (3,), self.rng.randbytes(3)),
                "fp4": ("F4", (2, 4), self.rng.randbytes(4)),
            },
        )
        found = penstock.load_state_dict(file, framework="torch", socket=self.socket)
        self.assertEqual(
            {n: t.dtype for n, t in found.items()},
            {"bf16": torch.bfloat16, "fp8": torch.float8_e4m3fn, "scale": torch.float8_e8m0fnu, "fp4": torch.float4_e2m1fn_x2},
        )
        self.assertEqual(tuple(found["fp4"].shape), (2, 2))

    @unittest.skipUnless(helper.have("torch") and helper.have("safetensors"), "SKIPPED: torch, safetensors not installed")
    def test_equal_to_safetensors_own(self):
        import torch
        from safetensors.torch import load_file, save_file

        file = self.dir / "own.safetensors"
        save_file({"x": torch.randn(50, 70), "y": torch.randn(9).bfloat16(), "z": torch.randn(5, 5).to(torch.float8_e5m2)}, file)
        theirs, ours = load_file(file), penstock.load_state_dict(file, framework="torch", socket=self.socket)
        self.assertEqual(ours.keys(), theirs.keys())
        for name, tensor in theirs.items():
            self.assertEqual((ours[name].dtype, ours[name].shape), (tensor.dtype, tensor.shape))
            self.assertTrue(torch.equal(ours[name].view(torch.uint8), tensor.view(torch.uint8)), name)


class Refusals(unittest.TestCase):
    def test_what_is_wrong_is_said(self):
        with helper.directory() as place, helper.service(place) as (socket, _):
            helper.write(place / "ok.safetensors", {"t": ("U8", (100_000,), bytes(100_000))})
            (place / "short.safetensors").write_bytes((place / "ok.safetensors").read_bytes()[:-1])
            (place / "pickle.bin").write_bytes(b"cos\nsystem\n")
            for name in ("missing.safetensors", "short.safetensors", "pickle.bin"):
                with self.assertRaisesRegex(penstock.PenstockError, name):
                    penstock.load_state_dict(place / name, framework="numpy", socket=socket)
            with self.assertRaisesRegex(penstock.PenstockError, "cannot fill cuda:0.*no GPU" if helper.have("torch") else "cuda|torch|GPU"):
                penstock.load_state_dict(place / "ok.safetensors", framework="torch", device="cuda:0", socket=socket)
            with self.assertRaisesRegex(penstock.PenstockError, "NumPy has no tensors on a GPU"):
                penstock.load_state_dict(place / "ok.safetensors", framework="numpy", device="cuda:0", socket=socket)
            cut = penstock.iterate(place / "ok.safetensors", framework="numpy", socket=socket)
            with penstock.safe_open(place / "ok.safetensors", "np", socket=socket) as opened:
                (place / "ok.safetensors").write_bytes(b"")
                with self.assertRaisesRegex(penstock.PenstockError, "ok.safetensors changed"):
                    opened.get_tensor("t")
            del cut

    def test_no_loader(self):
        with helper.directory() as place:
            helper.write(place / "ok.safetensors", {"t": ("U8", (1,), b"x")})
            with self.assertRaisesRegex(penstock.LoaderUnavailable, "no loader answers at"):
                penstock.load_state_dict(place / "ok.safetensors", framework="numpy", socket=str(place / "none"))
            with self.assertRaisesRegex(penstock.LoaderUnavailable, "cannot be run"):
                penstock.load_state_dict(place / "ok.safetensors", framework="numpy", launcher=str(place / "none"))
            (place / "bad").write_text("#!/bin/sh\necho no Java here >&2\nexit 3\n")
            (place / "bad").chmod(0o755)
            with self.assertRaisesRegex(penstock.LoaderUnavailable, "no Java here"):
                penstock.load_state_dict(place / "ok.safetensors", framework="numpy", launcher=str(place / "bad"))


if __name__ == "__main__":
    unittest.main()
