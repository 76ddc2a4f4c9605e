"""The table of docs/verdicts.md is of the designs there are, and every fix in it helps; some of it is trained again."""

from __future__ import annotations

import pytest

from mlp_core.data import load_sample
from mlp_core.reports.diagnosis.verdict import Verdict
from tests.verdicts.designs import DESIGNS
from tests.verdicts.table import Outcome, Row, recorded, row

RECORDED = {one.design: one for one in recorded()}
FAULTS = {
    "short", "overfitting", "unstable", "symmetric", "stuck", "slow", "held_back", "saturated", "vanishing", "dead", "collapsed",
    "diverged",
}  # fmt: skip
# One of each kind, and far from any other.
AGAIN = (
    "lr 2", "five layers of SELU, He", "five layers of tanh, lr 1", "five layers of sigmoid, Xavier", "all 0.01", "lr 0.00001",
    "two layers, dropout 0.95", "weight decay 25", "own: 0*x", "lr 0.1, from step 96 on 10", "book, one epoch of 1,000 images",
)  # fmt: skip


def test_every_design_was_tried_and_there_are_many() -> None:
    assert list(RECORDED) == list(DESIGNS), "make verdicts writes the table"
    assert len(RECORDED) >= 60


@pytest.mark.parametrize("name", DESIGNS)
def test_what_is_offered_helps_two_of_three_seeds(name: str) -> None:
    assert RECORDED[name].helps


def test_every_kind_of_fault_has_a_design() -> None:
    assert {kind for one in RECORDED.values() for kind in one.verdicts.split("; ")} >= FAULTS


@pytest.mark.parametrize("name", AGAIN)
def test_it_is_so_when_it_is_trained_again(name: str) -> None:
    now = row(name, DESIGNS[name], load_sample())
    assert (now.verdicts, now.fixes) == (RECORDED[name].verdicts, RECORDED[name].fixes)
    assert now.helps


def test_a_row_is_read_as_it_was_written() -> None:
    one = Row("a | b, 0.01²", "stuck; dead", "Try lr 0.1", "10 %, 2.3", "60 %, 1.1", 2, 3)
    assert Row.read(str(one)).helps
    assert str(Row.read(str(one))) == str(one)


@pytest.mark.parametrize(
    ("before", "after", "better"),
    [
        ((0.1, 2.3), (0.6, 1.2), True),
        ((0.6, 1.2), (0.61, 1.2), False),
        ((0.6, 1.2), (0.62, 1.2), True),
        ((0.6, 1.2), (0.6, 1.07), True),
        ((0.6, 1.2), (0.58, 0.8), False),
        ((0.1, 2.3), (0.2, 2.1), False),
    ],
)
def test_better_is_clearly_more_right_or_as_many_and_a_smaller_loss(
    before: tuple[float, float], after: tuple[float, float], better: bool
) -> None:
    verdict = Verdict("learned", "")
    assert Outcome(*after, verdict).better_than(Outcome(*before, verdict)) == better
