"""Clicks in quick succession: a second one that comes at any moment of the first one's run takes nothing from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from mlp_core.spec import PRESETS, RunSpec
from tests.support.pages.interruptions import interrupted
from tests.support.pages.training import LONG, chosen, job_of, main_button, open_groups, press
from tests.support.pages.visit import address, again, opened, visit, widget

EARLY = (2, 3, 5, 8, 13, 21, 34)  # in the callback, or soon after; the first chance comes before Streamlit has looked at the click
LATE = (55, 89, 144, 233)


@pytest.fixture
def page() -> Iterator[AppTest]:
    with visit("pages/train.py") as page:
        yield page


def cut_short(page: AppTest, at: int) -> AppTest:
    with interrupted(page, at):
        return again(page)


def is_at(page: AppTest, spec: RunSpec) -> bool:
    return bool(chosen(page) == spec) and address(page) == spec.to_query()


@pytest.mark.parametrize("at", EARLY + LATE)
def test_a_preset_is_taken_whole(page: AppTest, at: int) -> None:
    opened(page, hidden="7,5,3", lr="0.03", seed="4").pills[0].set_value("deep_sigmoid")
    cut_short(page, at)
    assert is_at(page, PRESETS["deep_sigmoid"].spec)
    assert page.pills[0].value == "deep_sigmoid"


@pytest.mark.parametrize("at", [2, 13, *range(38, 48), 144, 233])
def test_a_link_is_followed_whole(page: AppTest, at: int) -> None:
    page.query_params.update(hidden="7,5", lr="0.03", activation="tanh")
    cut_short(page, at)
    assert is_at(page, RunSpec(hidden=(7, 5), lr=0.03, activation="tanh"))


@pytest.mark.parametrize("at", EARLY + LATE)
def test_both_controls_of_the_learning_rate_move(page: AppTest, at: int) -> None:
    opened(page).number_input(key="lr").set_value(5.0)
    cut_short(page, at)
    assert is_at(page, RunSpec(lr=5.0))
    assert widget(page, "lr_stop").value == 5.0


def test_a_preset_that_the_browser_still_shows_as_marked_is_no_click_on_it(page: AppTest) -> None:
    """The second of two quick changes is sent before the browser has heard that the first one left the preset."""
    open_groups(opened(page)).number_input(key="seed").set_value(1)
    with interrupted(page, 0) as chances:
        again(page)
    page.number_input(key="seed").set_value(0)
    assert again(page).pills[0].value == "mlp"
    page.number_input(key="seed").set_value(2)
    cut_short(page, chances[0] - 1)
    assert is_at(page, RunSpec(seed=2))


Check = Callable[[AppTest], bool]
PRESSES: dict[str, Check] = {
    "play": lambda page: main_button(page) == "Resume" and job_of(page).state == "paused",
    "stop": lambda page: main_button(page) == "Train" and job_of(page).state == "stopped",
    "reset": lambda page: main_button(page) == "Train" and "_job" not in page.session_state,
    "new": lambda page: main_button(page) == "Pause" and job_of(page).run.spec.hidden == (8,),
}


@pytest.mark.parametrize("at", EARLY)
def test_train_starts_one_run(page: AppTest, at: int) -> None:
    opened(page, **LONG).button(key="run_play").click()
    cut_short(page, at)
    assert main_button(page) == "Pause"
    assert job_of(page).state == "playing"


@pytest.mark.parametrize("at", EARLY[:4])
@pytest.mark.parametrize("name", PRESSES)
def test_a_button_of_a_run_is_pressed_whole(page: AppTest, name: str, at: int) -> None:
    press(opened(page, **LONG), "play")
    page.number_input(key="units_1").set_value(8)
    again(page).button(key=f"run_{name}").click()
    cut_short(page, at)
    assert PRESSES[name](page)
