"""The badge says inside or outside with the numbers it rests on, and nothing of a design that is not the book's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from mlp_core.jobs import JobSnapshot
from mlp_core.reports.comparison.book_bands import known_runs
from mlp_core.spec import RunSpec
from pages.ui.run.readings import reference
from tests.support.kept import bands, book_history, changed, history, snapshot
from tests.support.pages.visit import again, said, sent, visit

BOOK = RunSpec()
SEEDS = len(known_runs()["mlp"])


@pytest.fixture
def page() -> Iterator[AppTest]:
    with visit("tests/pages/apps/book_badge_page.py") as page:
        yield page


def badge(page: AppTest, shown: JobSnapshot) -> str | None:
    """The badge's words, color included, once this run is on the page; None where there is none."""
    page.session_state["snapshot"] = shown
    badges = [text for text in said(again(page)) if text.startswith(":")]
    assert len(badges) <= 1
    return badges[0] if badges else None


def sentence(page: AppTest) -> str:
    return str(page.caption[0].value)


def test_an_honest_run_is_inside(page: AppTest) -> None:
    assert badge(page, snapshot(BOOK, book_history("mlp"))) == ":green-badge[:material/check: Inside the book's band]"
    loss, accuracy = bands("mlp", "train_loss")[9], bands("mlp", "test_accuracy")[9]
    assert sentence(page).startswith(
        f"d2l's MLP after epoch 10, beside {SEEDS} other seeds of it. Training loss {loss.middle:.4f} ({loss.low:.4f} to {loss.high:.4f}); "
    )
    low, high = 100 * accuracy.low, 100 * accuracy.high
    assert sentence(page).endswith(f"test accuracy {100 * accuracy.middle:.1f} % ({low:.1f} % to {high:.1f} %).")


def test_what_is_outside_is_marked(page: AppTest) -> None:
    odd = changed(book_history("mlp", 6), train_loss=0.2)
    assert badge(page, snapshot(BOOK, odd)) == ":orange-badge[:material/priority_high: Outside the book's band]"
    assert "after epoch 6" in sentence(page)
    assert "Training loss **0.2000** (" in sentence(page)
    assert sentence(page).count("**") == 2


def test_of_several_seeds_it_counts_those_inside(page: AppTest) -> None:
    fine = book_history("mlp")
    odd = changed(fine, test_accuracy=0.5)
    assert "Outside" in str(badge(page, snapshot(BOOK, fine, members=[fine, fine, odd, fine, fine])))
    assert "4 of 5 seeds inside." in sentence(page)
    assert "test accuracy **50.0 % to " in sentence(page)
    assert "Inside" in str(badge(page, snapshot(BOOK, fine, members=[fine] * 5)))


@pytest.mark.parametrize("shown", [snapshot(replace(BOOK, lr=0.2), book_history("mlp")), snapshot(BOOK, history(steps=20))])
def test_where_nothing_can_be_compared_there_is_no_badge_and_no_band(page: AppTest, shown: JobSnapshot) -> None:
    assert badge(page, shown) is None
    assert said(page) == []
    assert reference(shown) is None


def test_the_band_is_drawn_at_the_last_epoch(page: AppTest) -> None:
    badge(page, snapshot(BOOK, book_history("mlp", 4)))
    figure = sent(page, "accuracy")
    assert figure is not None
    (band,) = (shape for shape in figure["layout"]["shapes"] if shape["type"] == "rect")
    known = bands("mlp", "test_accuracy")[3]
    assert [band["y0"], band["y1"], band["x0"]] == pytest.approx([100 * known.low, 100 * known.high, 3.5])
    assert band["name"] == f"{SEEDS} other seeds"
