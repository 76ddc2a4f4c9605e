"""Train every design, and with the fix that its verdict offers; write the table of docs/verdicts.md.

Fails where a fix is offered that does not help at least two of three seeds. Takes some minutes on one core; with words as arguments
only the designs with one of them in their name are trained again.
"""

from __future__ import annotations

import sys
import warnings

import torch

from mlp_core.data import load_sample
from tests.verdicts.designs import DESIGNS
from tests.verdicts.table import FILE, SEEDS, recorded, row, written

INTRODUCTION = f"""# Verdicts, fixes, and what became of them

Designs that do not learn, or not well; the verdict that the app passes on each; the fix that it offers with one click; and the test
accuracy and test loss without and with it, of the seeds {SEEDS[0]} to {SEEDS[-1]}, trained on the bundled sample. A run that diverged
counts as 0 %.
*Better* counts the seeds of which the fix got clearly more test images right (two points), or as many with a test loss lower by a tenth.
A fix that does not help at least two of three seeds is not offered.

Written by `make verdicts`, which trains all of it again; the designs are in `tests/verdicts/designs.py`.
"""


def main() -> int:
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", category=RuntimeWarning)  # of designs that are meant to overflow
    wanted = sys.argv[1:]
    data, known = load_sample(), {one.design: one for one in recorded()} if wanted else {}
    for name, design in DESIGNS.items():
        if not wanted or any(word in name for word in wanted):
            known[name] = row(name, design, data)
            print(("" if known[name].helps else "!! ") + str(known[name]), flush=True)
    found = [known[name] for name in DESIGNS if name in known]
    FILE.write_text(written(found, INTRODUCTION), encoding="utf-8")
    unhelpful = [one.design for one in found if not one.helps]
    print(f"{len(found)} designs; fixes that do not help: {', '.join(unhelpful) or 'none'}")
    return len(unhelpful) > 0


if __name__ == "__main__":
    sys.exit(main())
