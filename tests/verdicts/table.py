"""The table of docs/verdicts.md: design, verdict, fix, and what became of it with three seeds; trained, written and read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from mlp_core.data import Dataset
from mlp_core.reports.diagnosis.diagnosis import Verdict, diagnose
from mlp_core.reports.diagnosis.fixes import Fix
from mlp_core.training import Run
from mlp_core.words import percent, significant
from tests.verdicts.designs import Design

FILE = Path(__file__).parents[2] / "docs" / "verdicts.md"
SEEDS = (0, 1, 2)
HEADER = ("Design", "Verdict", "Fix", "Test accuracy and loss", "With the fix", "Better")
NOT_YET = "–"
GUESSING = 0.3  # an accuracy that nobody calls learned
MORE_RIGHT, LESS_LOSS, NOISE = 0.02, 0.9, 0.01


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: the test after its last epoch, worst of all where it diverged; and what is said of it."""

    accuracy: float
    loss: float
    verdict: Verdict

    def better_than(self, other: Outcome) -> bool:
        """Whether it learned, and clearly more: more images right, or as many and a smaller loss."""
        learned = self.verdict.kind != "diverged" and self.accuracy > GUESSING
        more, no_fewer = (self.accuracy >= other.accuracy + least for least in (MORE_RIGHT, -NOISE))
        return learned and (more or (no_fewer and self.loss <= LESS_LOSS * other.loss))

    def __str__(self) -> str:
        return f"{percent(self.accuracy, 0)}, {significant(self.loss, 2)}"


@dataclass(frozen=True, slots=True)
class Row:
    """A design as the table has it. `better` counts the seeds that the fix helped, of those that it was offered to."""

    design: str
    verdicts: str
    fixes: str
    before: str
    after: str
    better: int
    offered: int

    @property
    def helps(self) -> bool:
        """Whether the fix was offered at least twice, and helped two of three."""
        return self.offered >= 2 and 3 * self.better >= 2 * self.offered

    def __str__(self) -> str:
        cells = (self.design, self.verdicts, self.fixes, self.before, self.after, f"{self.better} of {self.offered}")
        return f"| {' | '.join(cell.replace('|', '∣') for cell in cells)} |"

    @classmethod
    def read(cls, line: str) -> Row:
        *cells, better = line.strip().strip("|").split(" | ")
        helped, offered = (int(word) for word in better.split(" of "))
        design, verdicts, fixes, before, after = (cell.strip() for cell in cells)
        return cls(design, verdicts, fixes, before, after, helped, offered)


def trained(design: Design, seed: int, data: Dataset) -> Run:
    """A finished run of the design."""
    run = Run(replace(design.spec, seed=seed), data)
    for step, settings in sorted(design.changes.items()):
        run.advance(steps=step - run.step)
        run.change(**settings)
    run.advance()
    return run


def fixed(run: Run, fix: Fix) -> Run:
    """What becomes of the run after a click on its fix."""
    if fix.step is None:
        again = Run(fix.spec, run.data)
    else:
        again = run.branch(fix.step, **{name: value for name, (value, _) in fix.spec.differences(run.settings).items()})
    again.advance()
    return again


def outcome(run: Run) -> Outcome:
    verdict = diagnose(run.spec, run.history.snapshot(), run.stop_reason, run.inspections.entries, run.checkpoints.steps)
    if verdict.kind == "diverged" or not run.history.epochs:
        return Outcome(0.0, float("inf"), verdict)
    return Outcome(run.history.epochs[-1].test_accuracy, run.history.epochs[-1].test_loss, verdict)


def row(name: str, design: Design, data: Dataset) -> Row:
    """Train the design from every seed, and with the fix of its verdict."""
    before, after, better = [], [], []
    for seed in SEEDS:
        run = trained(design, seed, data)
        before.append(outcome(run))
        if (fix := before[-1].verdict.fix) is not None:
            after.append(outcome(fixed(run, fix)))
            better.append(after[-1].better_than(before[-1]))
    offered = [one.verdict.fix.label for one in before if one.verdict.fix is not None]
    kinds = _distinct(one.verdict.kind for one in before)
    return Row(name, kinds, _distinct(offered), _listed(before), _listed(after), sum(better), len(better))


def recorded() -> list[Row]:
    """The rows that were written down."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return [Row.read(line) for line in lines if line.startswith("| ") and not line.startswith((f"| {HEADER[0]} |", "| --"))]


def written(rows: Iterable[Row], introduction: str) -> str:
    """The file with these rows."""
    head = [f"| {' | '.join(HEADER)} |", f"| {' | '.join(['--'] * len(HEADER))} |"]
    return "\n".join([introduction.rstrip(), "", *head, *map(str, rows), ""])


def _distinct(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(texts)) or NOT_YET


def _listed(outcomes: Iterable[Outcome]) -> str:
    return "; ".join(map(str, outcomes)) or NOT_YET
