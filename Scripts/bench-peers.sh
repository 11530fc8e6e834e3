#!/usr/bin/env bash
# Compares Choir with PyTorch, with OpenVINO on PyTorch's own graph, and with diffusers' MultiDiffusion, on checkpoints
# of full size with random weights, and writes one table.
#   bench-peers.sh CHOIR FOLDER      FOLDER gets the checkpoints (10 GB), a JSON for each row, and peers.md
#
# About three hours on two cores, half an hour more where bf16 must be emulated, with 20 GB of memory free; leave the
# machine alone meanwhile. All can be named:
#   KINDS="sd15 sdxl"    PARTS="evaluations panorama memory"    LIMIT=900 (seconds that a row may take)    ROUNDS=3
#   TILES="1 2" (how many tiles are evaluated at the same time)
#   SDXL_CELLS=64 (side of the tile that SDXL is measured at; 128 is its own and takes five times as long)
#   MEMORY_LIMIT=1800 (seconds after which a row of memory, whose peak is early, is stopped)
#   PYTHON=… (with torch, diffusers, transformers, safetensors and openvino; by default an environment of
#   its own in .deps/peers is set up. PIP_EXTRA_INDEX_URL can name an index that has torch without CUDA.)
# A row that is measured already in FOLDER is not measured again: so what was stopped goes on.
set -euo pipefail

readonly choir=$1 folder=$2
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
readonly root
python=${PYTHON:-$root/.deps/peers/bin/python}
if [[ -z ${PYTHON:-} && ! -e $root/.deps/peers/complete ]]; then
    echo "bench-peers: setting up torch, diffusers and OpenVINO in .deps/peers" >&2
    python3 -m venv --clear "$root/.deps/peers"
    "$python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 diffusers==0.42.1 transformers==5.23.0 \
        safetensors==0.8.0 openvino==2026.4.1
    touch "$root/.deps/peers/complete"
fi
mkdir -p "$folder"
export PYTHONDONTWRITEBYTECODE=1 CUDA_VISIBLE_DEVICES= HF_HUB_OFFLINE=1 PYTHONWARNINGS=ignore
exec "$python" "$root/Scripts/peers/bench.py" "$choir" "$folder" "$root/Tests/ChoirModelsTests/Fixtures/Text"
