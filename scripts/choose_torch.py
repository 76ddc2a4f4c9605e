"""Print the options that let pip install the PyTorch that suits this machine, and say on stderr which one that is.

python scripts/choose_torch.py [auto|cpu|cuda]

On Linux the registry's PyTorch comes with CUDA; a build without it is on PyTorch's own index. For one version in both places pip prefers
the latter, which is called 2.15.0+cpu. Where that index is out of reach, pip would ask it six times for every package there is to install:
so this looks first. On macOS and Windows the registry's build is small already.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import threading
import tomllib
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
# Measured with torch 2.14.1 and torchvision 0.29.1 (CUDA) and with torch 2.13.0+cpu.
CUDA_SIZE = "3 GB to download, 5.6 GB on the disk"
CPU_SIZE = "0.2 GB to download, 0.8 GB on the disk"
PROBE_SECONDS = 2.0
# Somebody who asks for one build would rather wait than get the other.
PATIENT_SECONDS = 10.0


def cpu_index() -> str:
    """The index with the builds without CUDA: TORCH_CPU_INDEX (a mirror, say), or else the one that pyproject.toml names for uv."""
    named: str = tomllib.loads(PYPROJECT.read_text())["tool"]["uv"]["pip"]["extra-index-url"][0]
    return (os.environ.get("TORCH_CPU_INDEX") or named).rstrip("/")


def has_nvidia_driver() -> bool:
    return shutil.which("nvidia-smi") is not None or Path("/proc/driver/nvidia").exists()


def answers(index: str, limit_seconds: float) -> bool:
    """Whether the index lists torch within the limit, which holds for the look-up of its name as well: that one takes no timeout."""
    answered = threading.Event()

    def ask() -> None:
        with contextlib.suppress(OSError, HTTPException, ValueError), urlopen(f"{index}/torch/", timeout=limit_seconds):
            answered.set()

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(limit_seconds)
    return answered.is_set()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="TORCH", description="Choose between PyTorch with and without CUDA.")
    parser.add_argument("build", nargs="?", choices=("auto", "cpu", "cuda"), default="auto")
    build = parser.parse_args(arguments).build
    if sys.platform != "linux":
        return 0
    index = cpu_index()
    if build == "cuda" or (build == "auto" and has_nvidia_driver()):
        chosen = f"with CUDA, {CUDA_SIZE} (TORCH=cpu for the small one)"
    elif answers(index, PROBE_SECONDS if build == "auto" else PATIENT_SECONDS):
        print(f"--extra-index-url {index}")
        chosen = f"without CUDA, {CPU_SIZE} (TORCH=cuda for the other one)"
    elif build == "auto":
        chosen = f"with CUDA, {CUDA_SIZE}, though no NVIDIA driver is here: {index} does not answer"
    else:
        print(
            f"TORCH=cpu: {index} does not answer. TORCH_CPU_INDEX names a mirror, TORCH=cuda takes the registry's build.", file=sys.stderr
        )
        return 1
    print(f"PyTorch, unless it is installed already: {chosen}.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
