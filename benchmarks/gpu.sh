#!/usr/bin/env bash
# Measure the bars of one GPU; meant to take under ten minutes: results/bars/bar_gpu.{json,md} and tables beside.
#
#     benchmarks/gpu.sh                        # everything
#     benchmarks/gpu.sh --only galaxies        # renew the rows of one piece
#     POPSED_REHEARSAL=1 benchmarks/gpu.sh     # the same on a CPU with a few galaxies: does it run?
#
# Needs this checkout and an environment with the locked packages, torch in a build for the GPU
# (.venv, or whatever is first on the PATH); no network and no data: GAMA is a stand-in.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
exec python -m tests.bars.bar_gpu "$@"
