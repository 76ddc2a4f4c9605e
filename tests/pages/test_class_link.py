"""A link for a class: what a teacher chooses in the popover is what its address does on the page of whoever follows it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from pages.ui.class_link import KEY
from pages.ui.train.controls import LOCKABLE
from tests.support.pages.training import SHORT, finish, job_of, press
from tests.support.pages.visit import address, again, opened, visit, visit_with_jobs, widget

TRAINED = SHORT | {"changes": "lr@3:0.05"}


@pytest.fixture(scope="module")
def page() -> Iterator[AppTest]:
    """The training page with a run that has ended, where the link is made."""
    with visit("pages/train.py") as page:
        finish(opened(page, **TRAINED, run="yes", panel="export"))
        yield made(page)


def made(page: AppTest) -> AppTest:
    page.session_state[KEY] = True
    return again(page)


def link(page: AppTest) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(page.code[-1].value).query))


def test_the_link_of_a_run_is_its_experiment_with_its_pace_and_its_changes(page: AppTest) -> None:
    assert link(page) == TRAINED
    page.toggle(key=f"{KEY}_changes").set_value(False)
    assert link(again(page)) == SHORT
    page.toggle(key=f"{KEY}_changes").set_value(True)
    again(page)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(LOCKABLE), unique=True), st.lists(st.sampled_from(LOCKABLE), unique=True), st.booleans())
def test_what_is_chosen_is_what_the_page_of_the_link_does(page: AppTest, locked: list[str], hidden: list[str], begins: bool) -> None:
    page.multiselect(key=f"{KEY}_lock").set_value(locked)
    page.multiselect(key=f"{KEY}_hide").set_value(hidden)
    page.toggle(key=f"{KEY}_run").set_value(begins)
    page.selectbox(key=f"{KEY}_panel").set_value("runs")
    found = link(again(page))
    assert found.get("lock", "") == ",".join(locked)
    assert found.get("hide", "") == ",".join(hidden)
    with visit("pages/train.py") as student:
        opened(student, **found)
        assert not student.warning
        assert student.number_input(key="lr").disabled == ("lr" in locked + hidden)
        assert ("_job" in student.session_state) == begins
        if begins:
            assert job_of(student).run.planned == job_of(page).run.planned
            assert student.segmented_control(key="run_panel").value == "runs"
        assert address(student) == {name: value for name, value in found.items() if name != "run"}


def test_a_page_of_sections_offers_what_is_drawn_and_keeps_its_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    with visit_with_jobs("pages/stability.py", monkeypatch) as page:
        made(opened(page, act="training", layers="3", lock="epochs"))
        offered = page.multiselect(key=f"{KEY}_lock")
        assert {"section", "layers", "epochs", "learning rate"} < set(offered.options)
        assert "law" not in offered.options
        assert offered.value == ["epochs"]
        offered.set_value(["layers", "act"])
        assert link(again(page)) == {"act": "training", "layers": "3", "lock": "layers,act"}
        opened(page, **link(page))
        assert widget(page, "stability_act").disabled


def test_before_anything_is_trained_the_link_is_that_of_the_controls() -> None:
    with visit("pages/train.py") as page:
        made(opened(page, **SHORT))
        assert link(page) == SHORT
        press(page, "step")
        assert not page.multiselect
