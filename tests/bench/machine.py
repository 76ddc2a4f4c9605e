"""The machine and the libraries in one line, without which no measured time means anything."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import streamlit
import torch

CPU_INFO = Path("/proc/cpuinfo")


def machine_line(matmul: str) -> str:
    """Processor, cores, Python, libraries; `matmul` is the library of matrix products."""
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()}; Python {platform.python_version()}, torch {torch.__version__} "
        f"({'CUDA' if torch.version.cuda else 'CPU'} build), 1 thread, products in {matmul}; Streamlit {streamlit.__version__}"
    )


def _processor() -> str:
    if CPU_INFO.exists():
        for line in CPU_INFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
