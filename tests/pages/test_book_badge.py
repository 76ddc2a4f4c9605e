"""The badge says inside or outside with the numbers it rests on, and nothing of a design that is not the book's."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from mlp_core.jobs import JobSnapshot
from mlp_core.reports.comparison.book_bands import known_runs, share_of_outsiders
from mlp_core.spec import RunSpec
from pages.figures.series import CurveSeries
from pages.figures.training import accuracy_curve
from pages.ui.run.readings import NO_BADGE, book_badge, reference
from tests.support.kept import bands, book_history, changed, history, snapshot

BOOK = RunSpec()
SEEDS = len(known_runs()["mlp"])


def test_an_honest_run_is_inside() -> None:
    badge = book_badge(snapshot(BOOK, book_history("mlp")))
    assert (badge["label"], badge["color"]) == ("Inside the book's band.", "green")
    loss, accuracy = bands("mlp", "train_loss")[9], bands("mlp", "test_accuracy")[9]
    assert badge["text"].startswith(
        f"d2l's MLP after epoch 10, beside {SEEDS} other seeds of it. "
        f"Mean training loss of the epoch {loss.middle:.4f} ({loss.low:.4f} to {loss.high:.4f}); "
    )
    low, high = 100 * accuracy.low, 100 * accuracy.high
    assert f"test accuracy {100 * accuracy.middle:.1f} % ({low:.1f} % to {high:.1f} %). " in badge["text"]
    flagged = 100 * share_of_outsiders(known_runs()["mlp"], 10)
    assert badge["text"].endswith(f"It would flag an honest run in about {flagged:.0f} % of all cases.")
    assert 5 < flagged < 20


def test_it_judges_after_the_last_epoch_alone() -> None:
    for epochs in range(1, 10):
        unfinished = snapshot(BOOK, changed(book_history("mlp", epochs), test_accuracy=0.5))
        assert (book_badge(unfinished), reference(unfinished)) == (NO_BADGE, None)
    short = replace(BOOK, epochs=4)
    assert "after epoch 4" in book_badge(snapshot(short, book_history("mlp", 4)))["text"]
    assert "after epoch 10" in book_badge(snapshot(replace(BOOK, epochs=20), book_history("mlp", 14)))["text"]


@pytest.mark.parametrize("beyond", [1e-4, 1e-5, 1e-9])
def test_no_number_is_called_outside_and_printed_as_the_edge(beyond: float) -> None:
    for quantity, step in (("test_accuracy", beyond), ("train_accuracy", beyond), ("train_loss", beyond / 10)):
        band = bands("mlp", quantity)[9]
        for value in (band.low - step, band.high + step):
            text = book_badge(snapshot(BOOK, changed(book_history("mlp"), **{quantity: value})))["text"]
            (said,) = (part for part in re.split(r"; |\. ", text) if "outside" in part)
            shown = re.findall(r"\d+\.\d+", said)
            assert len(shown) == 3
            assert shown[0] not in shown[1:]
            scale = 1 if quantity == "train_loss" else 100
            assert [float(number) for number in shown] == pytest.approx([scale * value, scale * band.low, scale * band.high], abs=0.06)


def test_what_is_outside_is_marked() -> None:
    odd = changed(book_history("mlp", 6), train_loss=0.2)
    badge = book_badge(snapshot(replace(BOOK, epochs=6), odd))
    assert (badge["label"], badge["color"]) == ("Outside the book's band.", "orange")
    assert "after epoch 6" in badge["text"]
    assert "Mean training loss of the epoch 0.2000, outside (" in badge["text"]
    assert badge["text"].count("outside") == 1


def test_of_several_seeds_it_counts_those_inside() -> None:
    fine = book_history("mlp")
    odd = changed(fine, test_accuracy=0.5)
    badge = book_badge(snapshot(BOOK, fine, members=[fine, fine, odd, fine, fine]))
    assert badge["label"].startswith("Outside")
    assert "4 of 5 seeds inside." in badge["text"]
    assert "test accuracy 50.0 % to " in badge["text"]
    assert book_badge(snapshot(BOOK, fine, members=[fine] * 5))["label"].startswith("Inside")


@pytest.mark.parametrize("shown", [snapshot(replace(BOOK, lr=0.2), book_history("mlp")), snapshot(BOOK, history(steps=20))])
def test_where_nothing_can_be_compared_there_is_no_badge_and_no_band(shown: JobSnapshot) -> None:
    assert book_badge(shown) == NO_BADGE
    assert reference(shown) is None


def test_the_band_is_drawn_at_the_last_epoch() -> None:
    shown = snapshot(replace(BOOK, epochs=4), book_history("mlp", 4))
    figure = accuracy_curve(CurveSeries(shown.history, shown.steps_per_epoch), 10, reference=reference(shown))
    (band,) = (shape for shape in figure["layout"]["shapes"] if shape["type"] == "rect")
    known = bands("mlp", "test_accuracy")[3]
    assert [band["y0"], band["y1"], band["x0"]] == pytest.approx([100 * known.low, 100 * known.high, 3.5])
    assert band["name"] == f"{SEEDS} other seeds"
