"""A run that a link begins by itself: once a visit, not after a reload, and never by a broken link."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui import begun_by_link, session
from tests.support.pages.training import LONG, SHORT, carried_out, finish, job_of, losses, main_button, press
from tests.support.pages.visit import address, again, opened, until, visit, visit_with_jobs
from tests.support.pages.visit import press as visit_press


@pytest.fixture
def page() -> Iterator[AppTest]:
    with visit("pages/train.py") as page:
        yield page


def runs(page: AppTest) -> bool:
    return "_job" in page.session_state


def test_a_link_trains_by_itself_and_says_it_once(page: AppTest) -> None:
    opened(page, **SHORT, run="yes")
    assert address(page) == SHORT
    assert not page.warning
    finish(page)
    assert losses(page) == [record.loss for record in carried_out(SHORT).history.steps]
    press(page, "reset")
    assert not runs(again(page))
    opened(page, **SHORT, run="yes")  # the address as it was before the page took its part out: from a click, or the link once more
    assert not runs(page)
    assert address(page) == SHORT
    opened(page, **SHORT, seed="3", run="yes")
    assert runs(page)


def test_a_run_under_way_is_put_away_for_another_link_and_left_alone_by_its_own(page: AppTest) -> None:
    press(opened(page, **LONG), "play")
    mine = job_of(page)
    opened(page, **LONG, run="yes")
    assert job_of(page) is mine
    opened(page, **SHORT, run="yes")
    assert job_of(page) is not mine
    assert mine.run.spec in [kept.spec for kept in page.session_state["_kept_runs"].runs]


@pytest.mark.parametrize(
    "broken",
    [{"lr": "x"}, {"color": "red"}, {"lock": "color"}, {"run": "now"}, {"pace": "quick"}, {"panel": "none"}, {"activation": "=rellu(x)"}],
    ids=str,
)
def test_a_broken_link_begins_nothing(page: AppTest, broken: dict[str, str]) -> None:
    opened(page, **{"run": "yes"} | broken)
    assert page.warning or page.error
    assert not runs(again(page))
    assert "run" not in address(page)
    page.number_input(key="units_1").set_value(8)  # and neither does what mends it
    assert not runs(again(page))


def test_nothing_begins_by_itself_on_the_way_back(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(begun_by_link, "went_through_history", lambda: True)
    opened(page, **SHORT, run="yes")
    assert not runs(page)
    assert address(page) == SHORT


def test_a_link_opens_a_panel_and_the_address_follows(page: AppTest) -> None:
    finish(opened(page, **SHORT, panel="runs", run="yes"))
    assert page.segmented_control(key="run_panel").value == "runs"
    assert main_button(page) == "Train"
    page.segmented_control(key="run_panel").set_value("inside")
    assert address(again(page)) == SHORT | {"panel": "inside"}
    press(page, "reset")
    assert address(page) == SHORT | {"panel": "inside"}, "where it is not drawn"


@pytest.mark.parametrize(
    ("name", "link", "job", "end"),
    [
        ("nonlinearity", {"act": "playground"}, "plane", "plane_reset"),
        ("stability", {"act": "training", "layers": "1", "epochs": "1"}, "designs", "designs_stop"),
        ("generalization", {"solver": "descent"}, "polynomial", "polynomial_stop"),
    ],
)
def test_other_pages_press_their_main_button(name: str, link: dict[str, str], job: str, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with visit_with_jobs(f"pages/{name}.py", monkeypatch) as page:
        opened(page, **link, run="yes")
        assert "run" not in address(page)
        until(page, lambda page: session.jobs().groups[job].jobs[0].snapshot().step > 0)
        visit_press(page, end)
        opened(page, **link, run="yes")
        assert not session.jobs().moving(job)


def test_a_run_that_nothing_on_a_page_could_begin_is_begun_nowhere_else() -> None:
    with visit("app.py") as app:
        app.switch_page("pages/activations.py")
        opened(app, run="yes")
        app.switch_page("pages/train.py")
        opened(app)
        assert not runs(app)
