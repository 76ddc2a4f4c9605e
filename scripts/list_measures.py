"""Write down what a lesson can measure of each section: the tables of docs/lessons.md.

python scripts/list_measures.py           # writes them
python scripts/list_measures.py --check   # ends with 1 where they are not of today's measures
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from pages.ui.lessons.experiments import Experiment, experiment_of

DOCUMENT = Path(__file__).parents[1] / "docs" / "lessons.md"
BEGIN, END = "<!-- written by scripts/list_measures.py -->", "<!-- end of scripts/list_measures.py -->"
LINKS = (  # one to each section that can be measured, as it is by default
    "train",
    "activations",
    *(f"nonlinearity?act={act}" for act in ("collapse", "perceptron", "playground")),
    *(f"stability?act={act}" for act in ("depth", "chain", "matrices", "training", "symmetry")),
    "generalization?part=polynomial",
    "generalization?part=polynomial&solver=descent",
    *(f"generalization?part={part}" for part in ("images", "labels")),
    *(f"generalization?act={act}" for act in ("decay", "dropout")),
    "tensors?act=contour",
)


def table(link: str) -> str:
    """What can be measured of one section."""
    experiment = experiment_of(link)
    lines = [f"### `{link}`", ""]
    if words := _words(experiment):
        lines += [words, ""]
    lines += ["| Name | What it is | Written as | After N epochs |", "|---|---|---|---|"]
    for name, measure in experiment.measures.items():
        whole = " Of all together: without `of`." if measure.of_all else ""
        meaning = f"{measure.label}. {measure.meaning}.{whole}".replace("|", "\\|")
        lines.append(f"| `{name}` | {meaning} | {measure.kind} | {'yes' if measure.per_epoch else ''} |")
    return "\n".join(lines)


def _words(experiment: Experiment) -> str:
    labels = ", ".join(f'`of "{label}"`' for label in experiment.subject.labels)
    return f"By default {labels}." if labels else ""


def written(text: str) -> str:
    """A document with today's tables between the two marks.

    Raises:
        ValueError: a mark is missing.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"needs the lines {BEGIN} and {END}")
    return "".join([before, begin, "\n\n", "\n\n".join(map(table, LINKS)), "\n\n", end, after])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, end with 1 where the tables are out of date")
    now, wanted = DOCUMENT.read_text(), written(DOCUMENT.read_text())
    if parser.parse_args().check:
        return int(now != wanted)
    DOCUMENT.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
