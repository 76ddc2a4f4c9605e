"""The benches measure what they say: the plain loop learns, the products are those of an epoch, the README gets what was printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch.utils.flop_counter import FlopCounterMode

from mlp_core.data import load_sample
from tests.bench.__main__ import BENCHMARKS, COMMAND, README, README_ZH, five_numbers, with_results
from tests.bench.bench_engine import FIVE_NUMBERS
from tests.bench.bench_streaming import MOST_MESSAGES, Update, medians, served_seconds, table
from tests.bench.loops import MatrixProducts, PlainLoop

BEGIN, END = f"<!-- written by {COMMAND} -->", f"<!-- end of {COMMAND} -->"
SAMPLE = load_sample()
WEIGHTS = 784 * 256 + 256 * 10
TRAIN, TEST = len(SAMPLE.train_labels), len(SAMPLE.test_labels)
# Forward and backward take three products of two operations a weight and image; the first layer needs no gradient of its images.
EPOCH_FLOPS = TRAIN * (6 * WEIGHTS - 2 * 784 * 256) + TEST * 2 * WEIGHTS


def test_the_products_are_those_of_an_epoch_and_its_test() -> None:
    with FlopCounterMode(display=False) as counter:
        MatrixProducts(SAMPLE).epoch()
    assert counter.get_total_flops() == EPOCH_FLOPS


def test_the_plain_loop_multiplies_no_more_and_learns() -> None:
    loop = PlainLoop(SAMPLE)
    with FlopCounterMode(display=False) as counter:
        first_loss, _ = loop.epoch()
    assert counter.get_total_flops() == EPOCH_FLOPS
    for _ in range(4):
        last_loss, accuracy = loop.epoch()
    assert last_loss < 0.6 * first_loss
    assert accuracy > 0.6


def test_results_take_the_place_of_older_ones() -> None:
    readme = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    once = with_results(readme, "new\n")
    assert once == f"before\n{BEGIN}\n```text\nnew\n```\n{END}\nafter\n"
    assert with_results(once, "new\n") == once


@pytest.mark.parametrize("readme", ["", BEGIN, END, f"{END}\n{BEGIN}"])
def test_a_readme_without_a_place_for_results_is_refused(readme: str) -> None:
    with pytest.raises(ValueError, match="needs the lines"):
        with_results(readme, "new")


def test_five_numbers_are_the_lines_below_their_heading() -> None:
    assert five_numbers(f"other\n{FIVE_NUMBERS}\n1\n2\n3\n4\n5\n6\n") == "1\n2\n3\n4\n5"


@pytest.mark.parametrize("results", ["", "1\n2\n3\n4\n5\n", f"{FIVE_NUMBERS}\n1\n2\n3\n4\n", f"{FIVE_NUMBERS}\n1\n2\n\n4\n5\n"])
def test_fewer_than_five_numbers_are_refused(results: str) -> None:
    with pytest.raises(ValueError, match="needs five lines"):
        five_numbers(results)


@pytest.mark.parametrize("path", [README, README_ZH, BENCHMARKS], ids=lambda path: path.name)
def test_both_pages_have_a_place_for_results(path: Path) -> None:
    assert "new" in with_results(path.read_text(), "new")


def test_the_server_is_charged_for_all_threads_but_the_one_that_trained() -> None:
    before = {0: 10.0, 1: 2.0, 2: 6.0}
    after = {0: 19.0, 2: 11.0, 3: 1.5}  # thread 1 has ended, 3 is new, 2 trained
    assert served_seconds(before, after) == pytest.approx(9.0 - 5.0)


def test_two_apps_stand_side_by_side_and_the_last_over_the_first() -> None:
    old, new = Update(2.0, 40_000, 37, 20.0, 120.0, 60_000), Update(2.5, 4_000, 6, 5.0, 40.0, 66_000)
    row = next(line for line in table([old, new]).splitlines() if line.startswith("messages"))
    assert row.split()[3:7] == ["37.0", "6.0", "0.16", "x"]
    assert row.endswith(f"(goal: at most {MOST_MESSAGES})")


def test_one_slow_round_changes_no_median() -> None:
    usual, slow = Update(2.0, 40_000, 37, 20.0, 120.0, 60_000), Update(0.5, 90_000, 80, 90.0, 500.0, 9_000)
    assert medians([usual, slow, usual]) == usual
