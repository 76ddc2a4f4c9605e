"""Fetch Fashion-MNIST before the app is started, and say where it comes from. Ends with 1 where only the bundled sample is to be had.

python scripts/get_data.py
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))


from mlp_core.data import FULL_SET_HINT, load_fashion_mnist


def main() -> int:
    said = ""

    def report(fraction: float, text: str) -> None:
        nonlocal said
        phase = text.partition(" (")[0]  # what follows are megabytes, ten times a second
        if phase != said:
            print(f"{100 * fraction:3.0f} %  {phase}", flush=True)
            said = phase

    data = load_fashion_mnist(progress=report)
    for note in data.notes:
        print(f"       {note}")
    print(f"{len(data.train_labels):,} training and {len(data.test_labels):,} test images from {data.source}")
    if data.is_sample:
        print(FULL_SET_HINT)
    return int(data.is_sample)


if __name__ == "__main__":
    sys.exit(main())
