"""What each library costs in memory and time once those above it are there, in fresh processes. Prints; asserts nothing.

python -m tests.bench.bench_imports
"""

from __future__ import annotations

import subprocess
import sys
from statistics import median

ROUNDS = 3
# what is measured, and the statement that brings it in
STEPS = (
    ("streamlit", "import streamlit"),
    ("plotly, a first figure", "import plotly.graph_objects as go; go.Figure(go.Scatter())"),
    ("pandas", "import pandas"),
    ("torch", "import torch"),
    ("torch.optim's first (never imported here)", "torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)"),
    ("torchvision (only to download)", "import torchvision"),
)
PROBE = """
import sys, time, psutil
*before, last = sys.argv[1:]
for statement in before:
    exec(statement)
process = psutil.Process()
held, started = process.memory_info().rss, time.perf_counter()
exec(last)
print(process.memory_info().rss - held, time.perf_counter() - started)
"""


def cost(before: tuple[str, ...], statement: str) -> tuple[float, float]:
    """Bytes and seconds that `statement` takes once `before` is done, as the median of fresh processes."""
    runs = []
    for _ in range(ROUNDS):
        done = subprocess.run([sys.executable, "-c", PROBE, *before, statement], check=True, capture_output=True, text=True)
        runs.append(tuple(map(float, done.stdout.split())))
    return median(run[0] for run in runs), median(run[1] for run in runs)


def main() -> None:
    print("Imports, each on top of those above it")
    statements = tuple(statement for _, statement in STEPS)
    for index, (label, statement) in enumerate(STEPS):
        size, seconds = cost(statements[:index], statement)
        print(f"{label:44}{size / 1e6:6.0f} MB{seconds:8.2f} s")


if __name__ == "__main__":
    main()
