"""What a run is called in the curves is true of it, through random walks of training, changing lr, branching off and putting away."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

import pytest

from mlp_core.jobs import JobSnapshot
from mlp_core.reports.comparison.kept_runs import KeptRuns
from mlp_core.spec import RunSpec
from pages.ui.run.kept_runs import series_of, shown_series
from tests.support.kept import history, snapshot

MOVES = ("train on", "train on", "train on", "change lr", "branch", "put away")


@dataclass(frozen=True)
class Trained:
    """A run of d2l's own design so far."""

    steps: int = 1
    changes: tuple[tuple[int, float], ...] = ()

    @property
    def snapshot(self) -> JobSnapshot:
        return snapshot(RunSpec(), history(steps=self.steps, changes=self.changes))


def moved(kept: KeptRuns, run: Trained | None, chance: random.Random) -> tuple[KeptRuns, Trained | None]:
    """What one click of a visitor leads to."""
    move, lr = chance.choice(MOVES), chance.choice((0.01, 0.03, 0.5))
    if run is None:
        return kept, Trained()
    if move == "train on":
        return kept, Trained(run.steps + chance.choice((1, 5, 40)), run.changes)
    if move == "change lr":
        return kept, Trained(run.steps, (*(one for one in run.changes if one[0] < run.steps), (run.steps, lr)))
    if move == "branch" and run.steps > 1:
        step = chance.randrange(1, run.steps)
        return kept.keep(run.snapshot), Trained(step, (*(one for one in run.changes if one[0] < step), (step, lr)))
    return kept.keep(run.snapshot), None


@pytest.mark.parametrize("seed", range(30))
def test_no_run_is_called_by_a_change_that_it_has_not(seed: int) -> None:
    chance, kept, run = random.Random(seed), KeptRuns(), None
    for _ in range(60):
        kept, run = moved(kept, run, chance)
        current = run.snapshot if run is not None else None
        drawn = shown_series(kept, current) + ([series_of(kept, current)] if current is not None else [])
        for series in drawn:
            effective = {change.step for change in series.history.changes if change.step < series.history.steps[-1]}
            said, _, _ = series.label.partition(" instead of ")
            named = {int(step.replace(",", "")) for step in re.findall(r"after step ([\d,]+)", said)}
            assert named <= effective, f"{series.label}, of a run with changes after {effective or 'no step'}"
            if " instead of " not in series.label and "…" not in series.label and "changes in mid-run" not in series.label:
                assert named == effective, series.label


def test_a_run_that_begins_anew_is_not_called_by_what_was_changed_in_the_one_before() -> None:
    kept = KeptRuns().keep(Trained(100, ((50, 0.01),)).snapshot)
    assert "after step 50" in kept.runs[0].name
    anew = Trained(10).snapshot
    assert "after step" not in series_of(kept, anew).label.partition(" instead of ")[0]
    assert len(kept.keep(anew).runs) == 2


def test_a_kept_run_that_goes_on_is_named_anew_unless_a_person_named_it() -> None:
    kept = KeptRuns().keep(Trained(100).snapshot)
    on = Trained(200, ((150, 0.01),)).snapshot
    assert [run.name for run in kept.keep(on).runs] == ["ReLU 256, lr 0.1, lr 0.01 after step 150"]
    assert [run.name for run in kept.rename(1, "mine").keep(on).runs] == ["mine"]
