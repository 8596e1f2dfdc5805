#!/usr/bin/env python3
"""Which elements of every tensor each rank of the real vLLM keeps: the expectations that RankPlanTest compares plans with.

    benchmarks/.venv-vllm/bin/python benchmarks/vllmshards.py > cache-runtime/base/src/test/resources/io/penstock/cache/plan/rank/vllm-shards.json

Small models with random layouts are made and loaded by vLLM's own model classes and load_weights. One process plays all ranks in turn, on
groups of processes that do not exist. Every element of every tensor has a number of its own: those found in a rank's parameters
afterwards are those it took. Runs of numbers are written as [offset, run, stride, count], in elements.
Arguments choose among the cases: a model type, or a part of a layout.
"""

import json
import os
import sys
import tempfile
from unittest import mock

os.environ |= {"VLLM_LOGGING_LEVEL": "ERROR", "HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1"}

import torch
import torch.distributed as dist
import vllm
import vllm.distributed.parallel_state as state
from torch.testing._internal.distributed.fake_pg import FakeStore
from transformers import AutoConfig
from vllm.config import DeviceConfig, ModelConfig, ParallelConfig, VllmConfig, set_current_vllm_config
from vllm.model_executor.model_loader.utils import initialize_model

DENSE = dict(hidden_size=64, intermediate_size=96, num_attention_heads=8, num_key_value_heads=2, head_dim=8, vocab_size=200)
LLAMA = DENSE | dict(model_type="llama", architectures=["LlamaForCausalLM"], num_hidden_layers=5)
QWEN3 = DENSE | dict(model_type="qwen3", architectures=["Qwen3ForCausalLM"], num_hidden_layers=3, tie_word_embeddings=True)
QWEN2 = DENSE | dict(model_type="qwen2", architectures=["Qwen2ForCausalLM"], num_hidden_layers=2)
MISTRAL = DENSE | dict(model_type="mistral", architectures=["MistralForCausalLM"], num_hidden_layers=2)
MOE = DENSE | dict(model_type="qwen3_moe", architectures=["Qwen3MoeForCausalLM"], num_hidden_layers=3, num_experts=6,
    num_experts_per_tok=2, moe_intermediate_size=32, mlp_only_layers=[], decoder_sparse_step=1, tie_word_embeddings=False)  # fmt: skip
MIXTRAL = DENSE | dict(model_type="mixtral", architectures=["MixtralForCausalLM"], num_hidden_layers=2, num_local_experts=8)
DEEPSEEK = dict(model_type="deepseek_v3", architectures=["DeepseekV3ForCausalLM"], hidden_size=64, intermediate_size=96,
    moe_intermediate_size=32, num_hidden_layers=4, num_nextn_predict_layers=1, first_k_dense_replace=1, num_attention_heads=8,
    num_key_value_heads=8, n_routed_experts=8, n_shared_experts=1, num_experts_per_tok=2, n_group=4, topk_group=2, q_lora_rank=24,
    kv_lora_rank=16, qk_nope_head_dim=16, qk_rope_head_dim=8, v_head_dim=16, vocab_size=200, topk_method="noaux_tc",
    scoring_func="sigmoid", tie_word_embeddings=False)  # fmt: skip

CASES = [
    (LLAMA, "tp=1"), (LLAMA, "tp=2"), (LLAMA, "tp=4"), (LLAMA, "tp=8"), (LLAMA, "pp=3"), (LLAMA, "tp=2,pp=4"), (LLAMA, "tp=2,dp=2"),
    (QWEN3, "tp=4"), (QWEN3, "tp=2,pp=2"), (QWEN2, "tp=4"), (MISTRAL, "tp=2"),
    (MOE, "tp=2"), (MOE, "tp=4,ep=4"), (MOE, "dp=4,ep=4"), (MOE, "tp=2,dp=2"), (MOE, "tp=2,pp=2,ep=2"),
    (MIXTRAL, "tp=4"), (MIXTRAL, "tp=4,ep=4"), (MIXTRAL, "tp=8"),
    (DEEPSEEK, "tp=4"), (DEEPSEEK, "tp=4,ep=4"), (DEEPSEEK, "dp=4,ep=4"), (DEEPSEEK, "tp=2,dp=2,ep=4"), (DEEPSEEK, "tp=2,dp=2"),
    (DEEPSEEK, "tp=2,pp=3"), (DEEPSEEK, "dp=4,ep=4,redundant=4"), (DEEPSEEK, "tp=4,ep=4,placement=round-robin"),
]  # fmt: skip


def tensors(c):
    """Name and shape of what a checkpoint of this configuration holds."""
    h, layers = c["hidden_size"], c["num_hidden_layers"]
    yield "model.embed_tokens.weight", (c["vocab_size"], h)
    yield "model.norm.weight", (h,)
    if not c.get("tie_word_embeddings"):
        yield "lm_head.weight", (c["vocab_size"], h)
    for n in range(layers + c.get("num_nextn_predict_layers", 0)):
        at = f"model.layers.{n}."
        yield at + "input_layernorm.weight", (h,)
        yield at + "post_attention_layernorm.weight", (h,)
        heads = c["num_attention_heads"]
        if "q_lora_rank" in c:
            q, kv, nope, rope, v = (c[k] for k in ("q_lora_rank", "kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim"))
            yield at + "self_attn.q_a_proj.weight", (q, h)
            yield at + "self_attn.q_a_layernorm.weight", (q,)
            yield at + "self_attn.q_b_proj.weight", (heads * (nope + rope), q)
            yield at + "self_attn.kv_a_proj_with_mqa.weight", (kv + rope, h)
            yield at + "self_attn.kv_a_layernorm.weight", (kv,)
            yield at + "self_attn.kv_b_proj.weight", (heads * (nope + v), kv)
            yield at + "self_attn.o_proj.weight", (h, heads * v)
        else:
            d, keys = c["head_dim"], c["num_key_value_heads"]
            for module, rows in (("q", heads), ("k", keys), ("v", keys)):
                yield at + f"self_attn.{module}_proj.weight", (rows * d, h)
                if c["model_type"] == "qwen2":
                    yield at + f"self_attn.{module}_proj.bias", (rows * d,)
            yield at + "self_attn.o_proj.weight", (h, heads * d)
            if c["model_type"].startswith("qwen3"):
                yield at + "self_attn.q_norm.weight", (d,)
                yield at + "self_attn.k_norm.weight", (d,)
        kind = c["model_type"]
        if kind == "mixtral":
            yield at + "block_sparse_moe.gate.weight", (c["num_local_experts"], h)
            for e in range(c["num_local_experts"]):
                yield from mlp(at + f"block_sparse_moe.experts.{e}.", h, c["intermediate_size"], "w1", "w3", "w2")
        elif kind == "qwen3_moe" or kind == "deepseek_v3" and n >= c["first_k_dense_replace"]:
            experts = c.get("num_experts") or c["n_routed_experts"]
            yield at + "mlp.gate.weight", (experts, h)
            if kind == "deepseek_v3":
                yield at + "mlp.gate.e_score_correction_bias", (experts,)
                yield from mlp(at + "mlp.shared_experts.", h, c["moe_intermediate_size"] * c["n_shared_experts"])
            for e in range(experts):
                yield from mlp(at + f"mlp.experts.{e}.", h, c["moe_intermediate_size"])
        else:
            yield from mlp(at + "mlp.", h, c["intermediate_size"])
        if n >= layers:
            for name, shape in (("eh_proj", (h, 2 * h)), ("enorm", (h,)), ("hnorm", (h,)), ("shared_head.norm", (h,)),
                                ("shared_head.head", (c["vocab_size"], h)), ("embed_tokens", (c["vocab_size"], h))):  # fmt: skip
                yield at + name + ".weight", shape


def mlp(at, hidden, inner, gate="gate_proj", up="up_proj", down="down_proj"):
    yield at + gate + ".weight", (inner, hidden)
    yield at + up + ".weight", (inner, hidden)
    yield at + down + ".weight", (hidden, inner)


def parsed(layout):
    words = dict(w.split("=") for w in layout.split(","))
    return {n: int(words.get(n, 0 if n == "redundant" else 1)) for n in ("tp", "pp", "dp", "ep", "redundant")} | {
        "placement": words.get("placement", "linear").replace("-", "_")
    }


def take_seat(world, rank, tp, pp):
    if dist.is_initialized():
        for name in [n for n in vars(state) if n.startswith("_") and isinstance(vars(state)[n], state.GroupCoordinator)]:
            setattr(state, name, None)
        dist.destroy_process_group()
    dist.init_process_group("fake", store=FakeStore(), rank=rank, world_size=world)
    state.init_distributed_environment(world, rank, "tcp://127.0.0.1:1", 0, "fake")
    state.initialize_model_parallel(tp, pp, backend="fake")


def kept(directory, config, layout, rank):
    """Numbers of the elements that this rank's parameters hold."""
    at = parsed(layout)
    parallel = ParallelConfig(
        tensor_parallel_size=at["tp"],
        pipeline_parallel_size=at["pp"],
        distributed_executor_backend="external_launcher",
    )
    parallel.data_parallel_size = at["dp"]
    parallel.data_parallel_rank = rank // at["tp"] // at["pp"]
    parallel.enable_expert_parallel = at["ep"] > 1
    parallel.expert_placement_strategy = at["placement"]
    parallel.enable_eplb = at["redundant"] > 0
    parallel.eplb_config.num_redundant_experts = at["redundant"]
    model_config = ModelConfig(
        model=directory, tokenizer=directory, skip_tokenizer_init=True, dtype="float32", enforce_eager=True, max_model_len=128
    )
    settings = VllmConfig(model_config=model_config, device_config=DeviceConfig("cpu"))
    settings.parallel_config = parallel
    with set_current_vllm_config(settings), torch.no_grad():
        take_seat(at["tp"] * at["pp"] * at["dp"], rank, at["tp"], at["pp"])
        model = initialize_model(vllm_config=settings)
        for parameter in model.parameters():
            parameter.zero_()
        number, weights = 1, []
        for name, shape in tensors(config):
            size = torch.Size(shape).numel()
            weights.append((name, torch.arange(number, number + size, dtype=torch.float32).reshape(shape)))
            number += size
        assert number < 1 << 24  # what a float32 counts to
        model.load_weights(iter(weights))
        found = torch.cat([p.detach().float().flatten() for p in model.parameters()] or [torch.zeros(1)])
        return torch.unique(found).long().tolist()


def slices(numbers):
    """[offset, run, stride, count]; runs of one length at one distance."""
    runs = []
    for n in numbers:
        if runs and runs[-1][0] + runs[-1][1] == n:
            runs[-1][1] += 1
        else:
            runs.append([n, 1])
    if len(runs) > 1 and len({r[1] for r in runs}) == 1 and len({b[0] - a[0] for a, b in zip(runs, runs[1:])}) == 1:
        return [[runs[0][0], runs[0][1], runs[1][0] - runs[0][0], len(runs)]]
    return [[offset, run, run, 1] for offset, run in runs]


def case(config, layout):
    at = parsed(layout)
    with tempfile.TemporaryDirectory() as directory:
        body = {k: v for k, v in config.items() if k != "model_type"}
        AutoConfig.for_model(config["model_type"], **body).save_pretrained(directory)
        ranks = []
        for rank in range(at["tp"] * at["pp"] * at["dp"]):
            numbers = kept(directory, config, layout, rank)
            own, begin, i = {}, 1, 0
            numbers = [n for n in numbers if n > 0]
            for name, shape in tensors(config):
                end = begin + torch.Size(shape).numel()
                mine = []
                while i < len(numbers) and numbers[i] < end:
                    mine.append(numbers[i] - begin)
                    i += 1
                if mine:
                    own[name] = "all" if len(mine) == end - begin else slices(mine)
                begin = end
            ranks.append(own)
    return {"config": config, "layout": layout, "tensors": dict(tensors(config)), "ranks": ranks}


def main():
    new_group = dist.new_group
    with (
        mock.patch.object(dist, "new_group", lambda ranks=None, *a, **k: new_group(ranks, backend="fake")),
        mock.patch.object(state, "in_the_same_node_as", lambda group, source=0: [True] * dist.get_world_size(group)),
        mock.patch.object(
            state,
            "init_model_parallel_group",
            lambda ranks, local, backend, *a, group_name=None, **k: state.GroupCoordinator(ranks, local, backend, False, False, group_name),
        ),
    ):
        done = []
        for config, layout in CASES:
            if len(sys.argv) > 1 and not any(a == config["model_type"] or a in layout for a in sys.argv[1:]):
                continue
            print(config["model_type"], layout, file=sys.stderr)
            done.append(case(config, layout))
    print('{"vllm": %s, "cases": [' % json.dumps(vllm.__version__))
    print(",\n".join(json.dumps(c, separators=(",", ":")) for c in done))
    print("]}")


if __name__ == "__main__":
    main()
