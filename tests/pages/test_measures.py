"""What can be measured of each section, against oracles of its own: closed forms, numpy, the book's numbers, what the panel prints."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.lessons.experiments import experiment_of
from scripts.list_measures import DOCUMENT, written
from tests.support.pages.visit import again, visit_with_jobs

APP = "tests/pages/apps/experiments_page.py"
SECTIONS = (
    "activations",
    *(f"stability?act={act}" for act in ("depth", "chain", "matrices", "training", "symmetry")),
    *(f"nonlinearity?act={act}" for act in ("collapse", "perceptron", "playground", "ends")),
    *(f"generalization?part={part}" for part in ("polynomial", "images", "labels")),
    "generalization?part=polynomial&solver=descent",
    *(f"generalization?act={act}" for act in ("decay", "dropout")),
    *(f"tensors?act={act}" for act in ("operations", "contour")),
    "train",
)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    with visit_with_jobs(APP, monkeypatch) as page:
        yield page


def shows(page: AppTest, *links: str) -> AppTest:
    page.session_state["links"] = list(links)
    page.session_state["shown"] = 0
    return again(page)


def turn_to(page: AppTest, index: int) -> AppTest:
    page.session_state["shown"] = index
    return again(page)


def test_every_section_is_drawn_one_after_another(page: AppTest) -> None:
    shows(page, *SECTIONS)
    for index in (*range(1, len(SECTIONS)), *range(len(SECTIONS))):
        turn_to(page, index)
        assert not page.exception
        assert page.text[0].value == ("none" if experiment_of(SECTIONS[index]).trains else "done"), SECTIONS[index]
        assert not page.sidebar.children


def test_the_document_lists_todays_measures() -> None:
    assert written(DOCUMENT.read_text()) == DOCUMENT.read_text(), "run python scripts/list_measures.py"
