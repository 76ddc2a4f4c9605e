"""What a browser keeps of runs comes back to a session that does not know them; what it gives instead is refused in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from starlette.requests import Request
from streamlit.testing.v1 import AppTest

from mlp_core.jobs import JobSnapshot
from mlp_core.reports.comparison.kept_runs import CAPACITY, MAX_NAME, KeptRuns
from mlp_core.reports.comparison.saved_runs import MAX_LENGTH, saved
from mlp_core.spec import RunSpec
from pages.ui.run.kept_runs import KEPT
from pages.ui.updates import routes
from tests.support.kept import history, snapshot
from tests.support.pages.visit import again, bare, press, said, visit, words

BOOK = RunSpec()
HOSTILE = "<b>*x*</b> [a](http://b) $x$ `c`"


BROKEN_RUN = '{"version":1,"left_out":0,"runs":[{}]}'


def ended(lr: float) -> JobSnapshot:
    return snapshot(replace(BOOK, lr=lr), history([0.84]), stop="stopped")


def kept_by_browser(*lrs: float, name: str = "") -> KeptRuns:
    kept = KeptRuns()
    for lr in lrs:
        kept = kept.keep(ended(lr))
    return kept.rename(1, name) if name else kept


@pytest.fixture
def page() -> Iterator[AppTest]:
    with visit("tests/pages/apps/kept_in_browser_page.py") as page:
        yield page


def given(page: AppTest, kept: object, run: object = "") -> AppTest:
    page.session_state["given"] = {"kept": kept, "run": run}
    return again(page)


def names(page: AppTest) -> list[str]:
    return [run.name for run in page.session_state[KEPT].runs] if KEPT in page.session_state else []


def told(page: AppTest) -> dict[str, Any]:
    found: dict[str, Any] = page.session_state["told"]
    return found


def fetched(page: AppTest) -> str:
    """What the browser gets at the address that it was told."""
    (route,) = routes()
    token = told(page)["address"].rpartition("/")[2]
    scope = {"type": "http", "method": "GET", "query_string": b"have=0", "headers": [], "path_params": {"token": token}}
    return str(route.endpoint(Request(scope)).body.decode())


def test_a_session_that_keeps_nothing_tells_its_browser_so(page: AppTest) -> None:
    again(page)
    assert told(page) == {"address": told(page)["address"], "version": 0, "heard": False, "run": "", "longest": MAX_LENGTH}
    assert not page.warning


def test_every_change_of_the_list_is_a_new_version_and_nothing_else_is(page: AppTest) -> None:
    page.session_state["snapshots"] = [ended(0.1), ended(0.5)]
    version = told(again(page))["version"]
    assert told(again(page))["version"] == version
    page.session_state["snapshots"] = [ended(0.5)]  # the page keeps a run that has ended at every run of its own
    assert told(again(page))["version"] == version
    for change in (
        lambda: page.text_input[0].set_value("mine"),
        lambda: page.button(key="kept_pin").click(),
        lambda: page.pills[0].set_value([1]),
    ):
        change()
        again(page)
        assert told(page)["version"] == (version := version + 1)
    press(page, "kept_remove")
    assert told(page)["version"] == version + 1
    assert json.loads(fetched(page))["runs"][0]["experiment"]["spec"]["lr"] == 0.1


def test_a_new_session_shows_what_the_one_before_had_its_browser_keep(page: AppTest) -> None:
    page.session_state["snapshots"] = [ended(0.1), ended(0.5)]
    again(page)
    page.text_input[0].set_value("mine")
    again(page)
    kept, before = fetched(page), names(page)
    with visit("tests/pages/apps/kept_in_browser_page.py") as other:
        given(again(other), kept)
        assert names(other) == before
        assert "mine" in before
        assert "Back from this browser: 2 runs, with no more than 400 steps of a curve." in said(other)
        assert "You changed exactly one thing" in words(other)
        assert not other.warning
        assert told(other)["heard"]
        assert told(other)["address"] != told(page)["address"]


def test_what_the_session_kept_by_then_stays_behind_what_comes_back(page: AppTest) -> None:
    page.session_state["snapshots"] = [ended(0.5), ended(1.0)]
    given(page, saved(kept_by_browser(0.1, 0.5)))
    runs = page.session_state[KEPT].runs
    assert [run.spec.lr for run in runs] == [0.1, 0.5, 1.0]
    assert len({run.id for run in runs}) == 3
    full = [*range(20)]
    page.session_state["snapshots"] = [snapshot(replace(BOOK, seed=seed), history([0.8]), stop="stopped") for seed in full]
    assert len(names(again(page))) == CAPACITY


def test_a_browser_is_heard_once(page: AppTest) -> None:
    given(page, saved(kept_by_browser(0.1)))
    press(page, "kept_clear")
    given(page, saved(kept_by_browser(0.1)))
    assert names(page) == []


def test_a_run_that_ended_with_its_server_is_named_until_another_is_begun(page: AppTest) -> None:
    given(page, saved(kept_by_browser(0.1)), run="ReLU 64, lr 0.25")
    (warning,) = page.warning
    assert warning.value.startswith("The run **ReLU 64, lr 0\\.25** is gone: it ended with its server")
    assert warning.value.endswith("Back from this browser: 1 run, with no more than 400 steps of a curve.")


def test_markup_in_what_comes_back_stays_text(page: AppTest) -> None:
    given(page, saved(kept_by_browser(0.1, 0.5, name=HOSTILE)), run=HOSTILE * 10)
    assert names(page)[0] == HOSTILE
    for text in said(page):
        assert "<b>" not in bare(text)
        assert "[a](" not in bare(text)
    assert len(page.warning[0].value) < 4 * MAX_NAME + 250


@pytest.mark.parametrize("kept", ["{", "null", "[]", 12, ["x"], {"a": 1}, "<script>", '{"version":1}', " " * (MAX_LENGTH + 1), BROKEN_RUN])
def test_what_no_session_wrote_is_refused_in_words(page: AppTest, kept: object) -> None:
    given(page, kept)
    (warning,) = page.warning
    assert warning.value.startswith("Not all that this browser had kept of runs side by side can be read: `")
    assert "<script>" not in bare(warning.value)
    assert len(warning.value) < 500
    assert names(page) == []
    assert told(page)["heard"]


@pytest.mark.parametrize("whole", [None, "text", 3, [], {}, {"kept": None, "run": 5}, {"kept": "", "run": ["x"]}])
def test_an_answer_of_another_kind_brings_nothing_back(page: AppTest, whole: object) -> None:
    page.session_state["given"] = whole
    again(page)
    assert (names(page), list(page.warning)) == ([], [])


def test_older_runs_that_found_no_room_are_counted(page: AppTest) -> None:
    given(page, saved(kept_by_browser(0.1)).replace('"left_out":0', '"left_out":3'))
    assert "3 older runs had found no room in this browser." in page.warning[0].value
