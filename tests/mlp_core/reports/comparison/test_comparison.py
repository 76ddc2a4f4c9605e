"""What a comparison says: the count of changes, the effect, and whether luck could have done it; against scipy and by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mlp_core.data import load_sample
from mlp_core.reports.comparison.book_bands import known_runs
from mlp_core.reports.comparison.comparison import RANGE_95, conclude, luck_of_a_seed, paired_difference, student
from mlp_core.reports.comparison.kept_runs import KeptRun
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from mlp_core.words import significant
from tests.support.kept import kept

BOOK = RunSpec()
SIGMOID = replace(BOOK, activation="sigmoid")
BOUND = RANGE_95[0] * luck_of_a_seed(10)


def tenth(accuracy: float) -> list[float]:
    """Ten epochs that end at this accuracy."""
    return [0.5] * 9 + [accuracy]


def test_one_change_is_named_with_both_values_and_its_effect() -> None:
    said = conclude((kept(BOOK, tenth(0.841)), kept(SIGMOID, tenth(0.79))))
    assert said.headline == "You changed exactly one thing: activation (ReLU → Sigmoid)."
    assert said.outcome.startswith("Test accuracy after epoch 10: 84.1 % → 79.0 %, 5.1 points less. That is more than luck usually does: ")
    assert f"lie within {100 * BOUND:.1f} points, 19 times in 20" in said.outcome
    assert said.advice == ""


def test_an_effect_below_luck_is_called_noise() -> None:
    said = conclude((kept(BOOK, tenth(0.84)), kept(SIGMOID, tenth(0.85))))
    assert "1.0 points more. That is inside the noise" in said.outcome
    assert said.advice == "Try ×5 seeds of each."


@pytest.mark.parametrize("factor", [0.99, 1.01])
def test_the_line_between_luck_and_more_is_where_it_says(factor: float) -> None:
    said = conclude((kept(BOOK, tenth(0.8)), kept(SIGMOID, tenth(0.8 + factor * BOUND))))
    assert ("inside the noise" in said.outcome) == (factor < 1)


def test_several_changes_cannot_be_told_apart() -> None:
    said = conclude((kept(BOOK, tenth(0.84)), kept(replace(SIGMOID, lr=0.5, seed=1), tenth(0.6))))
    assert said.headline == "You changed three things (activation, lr, seed): you cannot tell which did it."
    assert said.outcome == ""
    assert said.advice == "Change one at a time."


def test_of_many_runs_with_several_changes_the_newest_pair_that_can_tell_is_named() -> None:
    runs = [
        kept(BOOK, name="first"),
        kept(replace(BOOK, lr=0.5), name="second"),
        kept(replace(SIGMOID, lr=0.5), name="third"),
    ]
    said = conclude(runs)
    assert said.headline == "Among these three runs two things vary (activation, lr): you cannot tell which did it."
    assert said.advice == "“second” and “third” differ only in activation: show those two."


def test_where_no_pair_can_tell_one_is_asked_for() -> None:
    said = conclude([kept(replace(BOOK, lr=0.1 * n, seed=n)) for n in (1, 2, 3)])
    assert said.advice == "Train one that differs from another in one thing only."


def test_one_thing_among_many_runs_compares_the_ends() -> None:
    runs = [kept(replace(BOOK, lr=lr), tenth(end)) for lr, end in ((0.01, 0.69), (0.1, 0.84), (0.5, 0.83))]
    said = conclude(runs)
    assert said.headline == "Exactly one thing varies among these three runs: lr (0.01, 0.1, 0.5)."
    assert said.outcome.startswith("Test accuracy after epoch 10: from 69.0 % (lr 0.01) to 84.0 % (lr 0.1), 15.0 points apart. ")
    assert (
        f"three runs of d2l's own network that differ in nothing but the seed lie within {100 * RANGE_95[1] * luck_of_a_seed(10):.1f}"
        in (said.outcome)
    )


def test_runs_of_unequal_length_are_compared_where_both_have_come() -> None:
    said = conclude((kept(BOOK, [0.7, 0.8, 0.84]), kept(replace(SIGMOID, epochs=5), [0.5, 0.6])))
    assert said.headline == "You changed exactly one thing: activation (ReLU → Sigmoid)."
    assert said.outcome.startswith("Test accuracy after epoch 2: 80.0 % → 60.0 %, ")


def test_without_a_common_epoch_nothing_is_claimed() -> None:
    said = conclude((kept(BOOK, [0.7]), kept(SIGMOID, steps=9)))
    assert said.outcome == "There is no epoch yet that all of them have finished."


def test_a_batch_size_comes_with_its_side_effect() -> None:
    said = conclude((kept(BOOK, tenth(0.84)), kept(replace(BOOK, batch_size=16), tenth(0.87))))
    assert said.outcome.endswith("Smaller batches make more steps an epoch, and noisier ones.")


@pytest.mark.parametrize(
    ("other", "headline"),
    [
        (replace(BOOK, seed=4), "Only the seed differs (0 → 4): this is how much luck matters."),
        (replace(BOOK, epochs=5), "Only the number of epochs differs (10 → 5): a shorter run is the beginning of a longer one."),
        (replace(BOOK, implementation="scratch"), "Only the implementation differs: the same computation, rounded differently."),
        (replace(BOOK, device="cpu"), "Nothing differs: the same experiment gives the same numbers."),
    ],
)
def test_changes_that_are_none(other: RunSpec, headline: str) -> None:
    assert conclude((kept(BOOK, tenth(0.84)), kept(other, tenth(0.83)))).headline == headline


def test_what_training_made_of_rounding_is_measured() -> None:
    spec = RunSpec(hidden=(16,), lr=0.5, epochs=1, device="cpu")
    runs: list[KeptRun] = []
    for implementation in ("concise", "scratch"):
        run = Run(replace(spec, implementation=implementation), load_sample())
        run.advance()
        runs.append(KeptRun(len(runs), implementation, run.spec, run.history.snapshot(), 24, 0, run.stop_reason, 0.0))
    apart = max(abs(one - other) for one, other in zip(*(run.history.losses for run in runs), strict=True))
    outcome = conclude(runs).outcome
    assert (f"differ by up to {significant(apart, 2)}." in outcome) == (apart > 0)
    assert conclude([runs[0], runs[0]]).outcome == ""


def test_another_seed_shows_its_effect_and_claims_no_cause() -> None:
    said = conclude((kept(BOOK, tenth(0.84)), kept(replace(BOOK, seed=4), tenth(0.83))))
    assert said.outcome == "Test accuracy after epoch 10: 84.0 % → 83.0 %, 1.0 points less."
    assert said.advice == ""


def five(spec: RunSpec, *ends: float) -> KeptRun:
    return kept(spec, members=[[end] for end in ends])


def test_the_same_five_seeds_are_compared_one_by_one() -> None:
    before = np.array([0.80, 0.82, 0.84, 0.86, 0.88])
    after = before + np.array([0.010, 0.011, 0.009, 0.012, 0.008])
    steady = conclude((five(BOOK, *before), five(SIGMOID, *after)))
    interval = stats.ttest_rel(after, before).confidence_interval(0.95)
    error = 100 * (interval.high - interval.low) / 2
    assert steady.outcome.endswith(f"That is hardly luck: seed by seed they are 1.0 ± {error:.1f} points apart (95 % confidence).")
    mixed = conclude((five(BOOK, *before), five(SIGMOID, *(before + np.array([0.05, -0.03, 0.04, -0.04, 0.03])))))
    assert "That may well be luck: seed by seed they are 1.0 ± " in mixed.outcome
    assert mixed.advice == "More seeds would tell."


def test_means_of_five_seeds_are_steadier_than_single_runs() -> None:
    runs = [five(replace(BOOK, lr=lr), *[end] * 5) for lr, end in ((0.1, 0.70), (0.2, 0.75), (0.3, 0.70))]
    bound = RANGE_95[1] * luck_of_a_seed(1) / 5**0.5
    assert f"three means of 5 runs of d2l's own network that differ in nothing but the seed lie within {100 * bound:.1f}" in (
        conclude(runs).outcome
    )


def test_five_seeds_beside_one_differ_in_nothing_else() -> None:
    assert conclude((kept(BOOK, [0.8]), five(BOOK, *[0.8] * 5))).headline == "Only the number of seeds differs."


values = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=10)


@given(values)
def test_the_paired_difference_is_scipys_interval(pairs: list[tuple[float, float]]) -> None:
    before, after = zip(*pairs, strict=True)
    difference, error = paired_difference(before, after)
    gains = np.subtract(after, before)
    assert difference == pytest.approx(np.mean(gains), abs=1e-12)
    assert error == pytest.approx(stats.t.ppf(0.975, len(pairs) - 1) * stats.sem(gains), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 9, 10, 99])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999, 1 - 5e-6])
def test_students_t_is_scipys(confidence: float, freedom: int) -> None:
    assert student(confidence, freedom) == pytest.approx(stats.t.isf((1 - confidence) / 2, freedom), rel=1e-9)


def test_differences_of_rounded_values_that_agree_are_not_certain() -> None:
    assert paired_difference((0.5, 0.6), (0.5, 0.6)) == (0.0, 0.0)
    difference, error = paired_difference((0.80, 0.81), (0.83, 0.84), resolution=0.01)
    assert difference == pytest.approx(0.03)
    assert error == pytest.approx(stats.t.ppf(0.975, 1) * 0.01 / 6**0.5 / 2**0.5)  # two rounding errors, each uniform over 0.01


def test_the_range_of_runs_is_tukeys() -> None:
    expected = [stats.studentized_range.ppf(0.95, runs, np.inf) for runs in range(2, 2 + len(RANGE_95))]
    assert pytest.approx(expected, abs=0.006) == RANGE_95
    assert RANGE_95[0] == pytest.approx(2**0.5 * NormalDist().inv_cdf(0.975), abs=0.006)
    assert all(less < more for less, more in pairwise(RANGE_95))


def test_luck_is_the_spread_of_d2ls_own_network() -> None:
    ends = [run["test_accuracy"][9] for run in known_runs()["mlp"].values()]
    assert luck_of_a_seed(10) == pytest.approx(np.std(ends, ddof=1))
    assert luck_of_a_seed(11) == luck_of_a_seed(10)
    assert 0.006 < luck_of_a_seed(10) < 0.013  # d2l's own code over 13 runs: 0.0097
