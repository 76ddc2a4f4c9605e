"""A ranking names a best cell only where luck could hardly have made it, and no cell by a number that it does not have."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from scipy import stats

from mlp_core.records import EpochRecord, StopKind, StopReason
from mlp_core.spec import RunSpec
from mlp_core.sweep.answers import CONFIDENCE, Ranking, ranking
from mlp_core.sweep.plan import Axis, Plan
from mlp_core.sweep.store import Outcome
from mlp_core.words import Message

BASE = RunSpec(hidden=(8,), epochs=2)


def plan_of(*axes: str, seeds: int = 5, **more: object) -> Plan:
    return Plan(base=BASE, axes=tuple(map(Axis.parse, axes)), seeds=seeds, **more)  # type: ignore[arg-type]


def outcome(plan: Plan, cell: int, seed: int, accuracy: float, kind: StopKind = "completed", rung: int = 0) -> Outcome:
    epochs = plan.rungs[rung].epochs
    spec = plan.cells[cell].specs(plan.seeds, epochs)[seed]
    loss = math.nan if kind == "diverged" else 1 - accuracy
    records = tuple(EpochRecord(n, 10 * n, loss, accuracy, loss, accuracy) for n in range(1, spec.epochs + 1))
    detail = Message("Diverged at step {step}: the loss is {value}.", step=20, value="NaN") if kind == "diverged" else "Completed 2 epochs."
    return Outcome(spec, rung, cell, records if kind == "completed" else records[:-1], StopReason(kind, 20, detail), 1.0, "here")


def ranked(plan: Plan, accuracies: Sequence[Sequence[float]]) -> Ranking:
    """Of cells with these accuracies, one a seed; NaN diverged, what is not given is still to come."""
    found = [
        outcome(plan, cell, seed, score, "diverged" if math.isnan(score) else "completed")
        for cell, scores in enumerate(accuracies)
        for seed, score in enumerate(scores)
    ]
    return ranking(plan, reversed(found))


def around(mean: float, deviations: Iterable[float]) -> list[float]:
    return [round(mean + one, 4) for one in deviations]


SEEDS = (0.001, -0.001, 0.002, -0.002, 0.0)
OTHER = (-0.001, 0.002, 0.001, -0.0015, -0.0005)
SAME_EACH = (0.799, 0.8, 0.801)


def indices(cells: Sequence[object]) -> list[int]:
    return [cell.index for cell in cells]  # type: ignore[attr-defined]


def test_a_cell_that_is_far_ahead_is_the_best_with_its_spread() -> None:
    found = ranked(plan_of("lr=0.01,0.1,1"), [around(0.70, SEEDS), around(0.86, OTHER), around(0.78, SEEDS)])
    assert indices(found.ranked) == [1, 2, 0]
    assert found.best is found.cells[1]
    assert found.answer == "Best: lr 0.1, 86.00 ± 0.15 % over 5 seeds. It can be told apart from each of the 2 other cells."
    best = around(0.86, OTHER)
    assert (found.best.mean, found.best.spread) == pytest.approx((np.mean(best), np.std(best, ddof=1)))


def test_cells_as_near_as_their_seeds_cannot_be_told_apart() -> None:
    found = ranked(plan_of("lr=0.01,0.1,0.3"), [around(0.70, SEEDS), around(0.860, OTHER), around(0.861, SEEDS)])
    assert found.best is None
    assert indices(found.band) == [2, 1]
    assert found.answer == (
        "Highest mean test accuracy: lr 0.3, 86.10 ± 0.16 % over 5 seeds. lr 0.3 and 0.1 cannot be told apart over 5 seeds. "
        "More seeds would tell."
    )


def test_a_difference_that_every_seed_repeats_counts_however_far_the_seeds_themselves_lie_apart() -> None:
    wide = (0.03, -0.03, 0.05, -0.05, 0.0)
    found = ranked(plan_of("lr=0.1,0.3"), [around(0.80, wide), around(0.81, [one + step for one, step in zip(wide, SEEDS, strict=True)])])
    assert found.best is found.cells[1]
    assert stats.ttest_ind(found.cells[0].scores, found.cells[1].scores).pvalue > 0.5  # which seeds that are not paired would not tell


def test_the_band_is_that_of_scipys_paired_tests_with_bonferronis_correction() -> None:
    generator = np.random.default_rng(3)
    plan = plan_of("lr=0.01,0.02,0.05,0.1,0.2,0.5", "batch_size=32,64", seeds=4)
    accuracies = 0.8 + 0.02 * generator.random((12, 1)) + 0.002 * generator.standard_normal((12, 4))
    found = ranked(plan, accuracies.tolist())
    best = int(accuracies.mean(axis=1).argmax())
    apart = {
        cell for cell in range(12) if cell != best and stats.ttest_rel(accuracies[best], accuracies[cell]).pvalue < (1 - CONFIDENCE) / 11
    }
    assert 0 < len(apart) < 11
    assert {cell.index for cell in found.band} == set(range(12)) - apart


@pytest.mark.parametrize(("cells", "seeds"), [(2, 2), (2, 5), (6, 3), (30, 5)])
def test_where_nothing_differs_a_best_is_claimed_in_no_more_than_the_stated_share(cells: int, seeds: int) -> None:
    """As accuracies of 1,000 test images: a few steps apart, so that differences often agree by chance."""
    generator = np.random.default_rng(10 * cells + seeds)
    plan = plan_of("lr=" + ",".join(f"{0.001 * (n + 1):g}" for n in range(cells)), seeds=seeds)
    trials, claimed, without_a_good_one = 400 if cells < 30 else 60, 0, 0
    for _ in range(trials):
        of_seed, of_run = 0.003 * generator.standard_normal(seeds), 0.003 * generator.standard_normal((cells, seeds))
        found = ranked(plan, (0.85 + of_seed + of_run).round(3).tolist())
        claimed += found.best is not None
        without_a_good_one += all(cell.index for cell in found.band)  # the first is as good as any
    share = 1 - CONFIDENCE
    margin = 3 * math.sqrt(share * (1 - share) / trials)
    assert claimed / trials <= share + margin
    assert without_a_good_one / trials <= share + margin


def test_a_real_difference_is_found_among_thirty_cells() -> None:
    plan = plan_of("lr=" + ",".join(f"{0.001 * (n + 1):g}" for n in range(30)))
    for seed in range(5):
        generator = np.random.default_rng(seed)
        means = np.full(30, 0.80)
        means[17] = 0.85
        found = ranked(plan, (means[:, None] + 0.003 * generator.standard_normal((30, 5))).round(4).tolist())
        assert found.best is found.cells[17]


def test_one_seed_never_makes_a_best() -> None:
    found = ranked(plan_of("lr=0.1,0.3", seeds=1), [[0.2], [0.9]])
    assert found.best is None
    assert "Best" not in found.text
    assert found.answer == (
        "Highest test accuracy: lr 0.3, 90.00 %. With one seed a cell, that may be luck: more seeds would tell which cell is best."
    )
    assert math.isnan(found.ranked[0].spread)
    assert ranked(plan_of("lr=0.1,0.3,1", seeds=1), [[0.9], [0.2], [0.9]]).answer.startswith(
        "Highest test accuracy: lr 0.1 and 1.0, 90.00 %."
    )


def test_one_cell_is_the_highest_of_nothing() -> None:
    alone = "There is no other cell to compare it with."
    assert ranked(plan_of("lr=0.1", seeds=3), [SAME_EACH]).text == f"lr 0.1: 80.00 ± 0.10 % over 3 seeds. {alone}"
    assert ranked(Plan(), [[0.8]]).text == f"the only cell: 80.00 % over 1 seed. {alone}"


def test_more_seeds_are_not_asked_for_where_every_seed_gave_the_same() -> None:
    plan = plan_of("momentum=0.0,0.9", seeds=3)  # as with an optimizer that has none
    apart = "momentum 0.0 and 0.9 cannot be told apart over 3 seeds."
    assert ranked(plan, [SAME_EACH, SAME_EACH]).answer.endswith(f"{apart} Seed by seed they are the same.")
    assert ranked(plan, [SAME_EACH, SAME_EACH[::-1]]).answer.endswith(f"{apart} More seeds would tell.")


def test_a_cell_of_which_a_run_diverged_has_no_rank_and_its_reason() -> None:
    nan = math.nan
    found = ranked(plan_of("lr=0.1,3", "batch_size=64,128", seeds=2), [[0.80, 0.81], [0.84, 0.85], [0.95, nan], [nan, nan]])
    assert indices(found.ranked) == [1, 0]
    assert indices(found.broken) == [2, 3]
    assert math.isnan(found.cells[2].mean)
    assert found.cells[2].score == "–"
    assert found.cells[2].reason == "1 of 2 runs: diverged. Diverged at step 20: the loss is NaN."
    assert found.unranked == (
        "2 cells are not ranked, since runs of them came to no result: “lr 3.0, batch_size 64” (diverged) and "
        "“lr 3.0, batch_size 128” (diverged)."
    )
    assert found.text.endswith(found.unranked)


def test_a_sweep_in_progress_says_so_and_ranks_what_is_complete() -> None:
    plan = plan_of("lr=0.01,0.1,1", seeds=3)
    found = ranked(plan, [[0.70, 0.71, 0.70], [0.86, 0.87, 0.865], [0.99, 0.99]])
    assert indices(found.ranked) == [1, 0]
    assert indices(found.waiting) == [2]
    assert found.text.startswith("Best so far: lr 0.1, ")
    assert found.text.endswith("1 cell has not finished.")
    assert ranked(plan, []).text == "No cell has finished yet."


def test_after_halving_the_last_round_is_ranked() -> None:
    plan = plan_of("lr=0.1,0.2,0.3,0.4", seeds=2, method="halving", eta=2)
    assert [(rung.epochs, rung.cells) for rung in plan.rungs] == [(1, 4), (2, 2)]
    first = [outcome(plan, cell, seed, 0.7 + cell / 100) for cell in range(4) for seed in range(2)]
    assert indices(ranking(plan, first).ranked) == [3, 2, 1, 0]
    begun = [*first, outcome(plan, 3, 0, 0.8, rung=1)]
    assert indices(ranking(plan, begun).ranked) == [3, 2, 1, 0]  # none has finished the next round
    second = [outcome(plan, cell, seed, 0.9 - cell / 100 + seed / 1000, rung=1) for cell in (2, 3) for seed in range(2)]
    half = ranking(plan, [*first, *second[:2]])
    assert (indices(half.ranked), indices(half.waiting)) == ([2], [3])
    found = ranking(plan, first + second)
    assert (indices(found.ranked), indices(found.given_up)) == ([2, 3], [0, 1])
    assert [cell.epochs for cell in found.cells] == [1, 1, 2, 2]
    assert "Halving left 2 cells out before the last round." in found.text


def test_many_cells_that_cannot_be_told_apart_are_counted_and_what_they_share_is_said() -> None:
    plan = plan_of("lr=0.1,1", "batch_size=32,64,128,256,512,1024")
    generator = np.random.default_rng(0)
    means = np.array([0.85] * 6 + [0.5] * 6)[:, None]
    found = ranked(plan, (means + 0.003 * generator.standard_normal((12, 5))).round(4).tolist())
    assert "5 of the 11 other cells cannot be told apart from it over 5 seeds." in found.answer
    assert found.common == "All of them have lr 0.1."
    every = ranked(plan, [around(0.85, generator.permutation(SEEDS)) for _ in range(12)])
    assert "None of the 11 other cells can be told apart from it over 5 seeds." in every.answer
    assert every.common == ""


def test_lists_keep_their_commas() -> None:
    found = ranked(plan_of("hidden=64;256,256", seeds=2), [[0.80, 0.801], [0.801, 0.80]])
    assert "hidden 64 and 256,256 cannot be told apart over 2 seeds." in found.answer
