"""The plug-ins, against stand-ins for the engines' own modules: what they register, and what they do without a loader."""

import contextlib
import json
import logging
import os
import sys
import types
import unittest

import helper
import penstock.sglang
import penstock.vllm
from penstock._engines import weights

LOG = logging.getLogger("test")


@contextlib.contextmanager
def modules(**named):
    """Puts modules in place; a dot in a name is written as two underscores."""
    made = {}
    for name, content in named.items():
        name = name.replace("__", ".")
        made[name] = types.ModuleType(name)
        made[name].__dict__.update(content)
    before = {n: sys.modules.get(n) for n in made}
    sys.modules.update(made)
    try:
        yield made
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


@contextlib.contextmanager
def environment(**values):
    before = {n: os.environ.get(n) for n in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


class FakeDefaultLoader:
    """As much of vLLM's default loader as the plug-in leans on."""

    def __init__(self, load_config):
        if load_config.load_format != "safetensors" or set(load_config.model_loader_extra_config) - {"num_threads"}:
            raise ValueError("vLLM does not know this configuration")
        self.load_config = load_config
        self.local_expert_ids = None

    def _prepare_weights(self, path, subfolder, revision, fall_back_to_pt, patterns):
        return path, [str(f) for f in path.glob("*.safetensors")], True, "model.safetensors.index.json"

    def _get_weights_iterator(self, source):
        return iter([(source.prefix + "own", "vLLM's")])


class FakeHookRegistry:
    registered = []

    @classmethod
    def register(cls, target, hook, kind):
        cls.registered.append((target, hook, kind))


@unittest.skipUnless(helper.have("torch"), "SKIPPED: torch is not installed")
class Engines(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = helper.directory()
        cls.dir = cls.place.__enter__()
        cls.running = helper.service(cls.dir)
        cls.socket, _ = cls.running.__enter__()
        cls.model = cls.dir / "model"
        cls.model.mkdir()
        for shard in ("model-00001-of-00002", "model-00002-of-00002"):
            tensors = {f"{shard}.experts.{i}.weight": ("U8", (3,), bytes([i] * 3)) for i in range(4)}
            helper.write(cls.model / f"{shard}.safetensors", tensors)

    @classmethod
    def tearDownClass(cls):
        cls.running.__exit__(None, None, None)
        cls.place.__exit__(None, None, None)

    def vllm_loader(self, extra, local=None):
        registered = {}
        config = types.SimpleNamespace(load_format="penstock", model_loader_extra_config=extra)

        def register(name):
            return lambda loader: registered.setdefault(name, loader)

        skip = {"should_skip_weight": lambda name, ids: int(name.split(".")[-2]) not in ids}
        loaders = {"register_model_loader": register, "_LOAD_FORMAT_TO_MODEL_LOADER": registered}
        with modules(
            vllm={}, vllm__model_executor={"model_loader": types.SimpleNamespace(**loaders)},
            vllm__model_executor__model_loader=loaders,
            vllm__model_executor__model_loader__default_loader={"DefaultModelLoader": FakeDefaultLoader},
            vllm__model_executor__model_loader__ep_weight_filter=skip,
        ):  # fmt: skip
            penstock.vllm.register()
            first = registered["penstock"]
            penstock.vllm.register()
            self.assertIs(registered["penstock"], first)
            loader = first(config)
            loader.local_expert_ids = local
            source = types.SimpleNamespace(
                model_or_path=self.model, subfolder=None, revision=None, fall_back_to_pt=True, allow_patterns_overrides=None, prefix="p."
            )
            self.assertEqual(config.load_format, "penstock", "the engine's own configuration was changed")
            return {n: t if isinstance(t, str) else t.tolist() for n, t in loader._get_weights_iterator(source)}

    def test_vllm(self):
        found = self.vllm_loader({"socket": self.socket, "num_threads": 3})
        self.assertEqual(len(found), 8)
        self.assertEqual(found["p.model-00002-of-00002.experts.3.weight"], [3, 3, 3])

    def test_vllm_reads_no_experts_of_other_ranks(self):
        found = self.vllm_loader({"socket": self.socket}, local={1})
        self.assertEqual(sorted(found), [f"p.model-0000{i}-of-00002.experts.1.weight" for i in (1, 2)])

    def test_vllm_reads_no_layers_and_experts_of_other_ranks(self):
        model = self.dir / "ranked"
        model.mkdir()
        names = [f"model.layers.{n}.mlp.experts.{e}.up_proj.weight" for n in range(4) for e in range(4)]
        helper.write(model / "model.safetensors", {n: ("U8", (2, 2), b"abcd") for n in names})
        config = {"architectures": ["Qwen3MoeForCausalLM"], "num_hidden_layers": 4, "num_experts": 4}
        (model / "config.json").write_text(json.dumps(config))
        parallel = types.SimpleNamespace(
            tensor_parallel_size=1, pipeline_parallel_size=2, data_parallel_size=2, data_parallel_rank=1, enable_elastic_ep=False,
            enable_expert_parallel=True, enable_eplb=False, expert_placement_strategy="linear",
        )  # fmt: skip
        groups = {"get_pp_group": lambda: types.SimpleNamespace(rank_in_group=0), "get_tensor_model_parallel_rank": lambda: 0}
        with modules(vllm={}, vllm__distributed=groups):
            rank = penstock.vllm._rank(parallel, types.SimpleNamespace(hf_config=types.SimpleNamespace(**config)))
            other = penstock.vllm._rank(parallel, types.SimpleNamespace(hf_config=types.SimpleNamespace(architectures=["DeepSeekMTPModel"])))
        self.assertEqual(rank, {"tp": 1, "pp": 2, "dp": 2, "rank": 2, "ep": "on"})
        self.assertIsNone(other)
        found = [name for name, _ in penstock.iterate(model, rank=rank, socket=self.socket)]
        self.assertEqual(found, [n for n in names if n.split(".")[2] in "01" and n.split(".")[5] in "23"])
        with self.assertRaisesRegex(penstock.PenstockError, "no rank 4"):
            dict(penstock.iterate(model, rank=rank | {"rank": 4}, socket=self.socket))
        with self.assertRaisesRegex(penstock.PenstockError, "cannot be"):
            dict(penstock.iterate(model, rank={"tp": [1], "rank": 0}, socket=self.socket))

    def test_vllm_without_a_loader_loads_with_its_own(self):
        with self.assertLogs("vllm.penstock", "WARNING") as log:
            self.assertEqual(self.vllm_loader({"socket": "/nonexistent/sock"}), {"p.own": "vLLM's"})
        self.assertIn("the engine's own loads instead: no loader answers at /nonexistent/sock", log.output[0])

    def test_sglang_only_where_it_is_chosen(self):
        hooks = {"HookRegistry": FakeHookRegistry, "HookType": types.SimpleNamespace(AROUND="around")}
        with modules(sglang={}, sglang__srt={}, sglang__srt__plugins={}, sglang__srt__plugins__hook_registry=hooks):
            for chosen, count in (("", 0), ("other", 0), ("other, penstock", 2)):
                FakeHookRegistry.registered.clear()
                with environment(SGLANG_PLUGINS=chosen):
                    penstock.sglang.register()
                self.assertEqual(len(FakeHookRegistry.registered), count, chosen)
        targets = {t for t, hook, kind in FakeHookRegistry.registered if hook is penstock.sglang.around and kind == "around"}
        self.assertEqual(targets, {f"sglang.srt.model_loader.loader.{n}" for n in penstock.sglang.TARGETS})

    def test_sglang(self):
        files = sorted(str(f) for f in self.model.glob("*.safetensors"))

        def own(files, max_workers=8):
            yield from (("own", f) for f in files)

        with environment(PENSTOCK_LOADER_SOCKET=self.socket):
            self.assertEqual(len(dict(penstock.sglang.around(own, files, max_workers=2))), 8)
        with environment(PENSTOCK_LOADER_SOCKET="/nonexistent/sock"), self.assertLogs("sglang.penstock", "WARNING"):
            self.assertEqual(list(penstock.sglang.around(own, files)), [("own", f) for f in files])

    def sglang(self, options=None, **ranks):
        """As much of SGLang as tells its layout."""
        usual = {
            "tp_size": 1, "pp_size": 1, "attn_dp_size": 1, "ep_size": 1, "ep_num_redundant_experts": 0, "speculative_algorithm": None,
            "enable_eplb": False, "init_expert_location": "trivial", "elastic_ep_backend": None, "enable_elastic_expert_backup": False,
            "ep_join_rank_offset": 0, "attn_cp_size": 1, "moe_dp_size": 1, "dwdp_size": 1, "model_impl": "auto",
            "json_model_override_args": "{}",
        }  # fmt: skip
        told = usual | (options or {})
        place = types.SimpleNamespace(**({"tp_rank": 0, "pp_rank": 0, "moe_ep_rank": 0} | ranks))
        context = {
            "get_server_args": lambda: types.SimpleNamespace(resolved_dict=lambda: told),
            "get_parallel": lambda: place,
        }
        return modules(sglang={}, sglang__srt={}, sglang__srt__runtime_context=context)

    def test_sglang_tells_its_layout(self):
        self.assertIsNone(penstock.sglang._rank())  # it is not there
        with self.sglang():
            self.assertIsNone(penstock.sglang._rank())  # it is alone
        wide = {"tp_size": 16, "attn_dp_size": 16, "ep_size": 16, "ep_num_redundant_experts": 32, "pp_size": 2}
        with self.sglang(wide, tp_rank=5, pp_rank=1, moe_ep_rank=5), environment(SGLANG_PP_LAYER_PARTITION="31, 30"):
            self.assertEqual(
                penstock.sglang._rank(),
                {"engine": "sglang", "tp": 16, "pp": 2, "dp": 16, "ep": 16, "redundant": 32, "rank": 21, "stages": "31-30"},
            )
        with self.sglang(wide, tp_rank=5, pp_rank=1, moe_ep_rank=4):
            self.assertIsNone(penstock.sglang._rank())
        for name, value in (
            ("speculative_algorithm", "EAGLE"), ("enable_eplb", True), ("init_expert_location", "x.pt"), ("moe_dp_size", 2),
            ("elastic_ep_backend", "mooncake"), ("attn_cp_size", 2), ("model_impl", "transformers"), ("ep_size", 0),
        ):  # fmt: skip
            with self.sglang(wide | {name: value}, tp_rank=5, pp_rank=1, moe_ep_rank=5):
                self.assertIsNone(penstock.sglang._rank(), name)

    def test_sglang_reads_no_layers_and_experts_of_other_ranks(self):
        model = self.dir / "sglang-ranked"
        model.mkdir()
        config = {"architectures": ["Qwen3MoeForCausalLM"], "num_hidden_layers": 4, "num_experts": 4}
        (model / "config.json").write_text(json.dumps(config))
        names = [f"model.layers.{i}.mlp.experts.{e}.up_proj.weight" for i in range(4) for e in range(4)]
        helper.write(model / "model.safetensors", {n: ("U8", (4, 4), bytes(16)) for n in names})
        files = [str(model / "model.safetensors")]

        def own(files):
            raise AssertionError("SGLang's own reader is not wanted")

        options = {"tp_size": 2, "ep_size": 2, "pp_size": 2}
        with environment(PENSTOCK_LOADER_SOCKET=self.socket), self.sglang(options, tp_rank=1, pp_rank=1, moe_ep_rank=1):
            found = [name for name, _ in penstock.sglang.around(own, files)]
        self.assertEqual(sorted(found), [n for n in names if n.split(".")[2] in "23" and n.split(".")[5] in "23"])
        with environment(PENSTOCK_LOADER_SOCKET=self.socket), self.sglang(options | {"pp_size": 8}, pp_rank=1):
            with self.assertLogs("sglang.penstock", "WARNING"):
                self.assertEqual(len(list(penstock.sglang.around(own, files))), 16)

    def test_a_load_that_fails_after_its_beginning_does_not_begin_again(self):
        (self.dir / "broken.safetensors").write_bytes(b"x" * 100)
        with self.assertRaises(penstock.PenstockError):
            list(weights([str(self.dir / "broken.safetensors")], lambda: iter([("own", 1)]), LOG, socket=self.socket))


if __name__ == "__main__":
    unittest.main()
