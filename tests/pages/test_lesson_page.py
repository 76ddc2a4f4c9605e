"""The pages of lessons without a browser: nothing of the outcome before the bet, bets that stand, and what was measured beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest
import streamlit as st
from hypothesis import given
from hypothesis.strategies import text as texts
from streamlit.testing.v1 import AppTest

from mlp_core.spec import SpecError
from pages.ui.lessons import catalog, experiments, steps
from pages.ui.lessons.progress import BETS, RAN
from pages.ui.measures import Measure, State
from tests.support.pages.visit import address, again, metrics, opened, press, visit, widget, words

LESSON = """
title = "Far and near"
minutes = 5
needs = "Nothing."
summary = "How far it comes."
sections = ["5.4 Numerical stability"]
sections_zh = ["4.8 数值稳定性"]
[[steps]]
title = "Read"
text = "Some text with $x^2$."
explanation = "It is known."
  [steps.question]
  ask = "Which letter is first?"
  choices = ["A", "B"]
  answer = "A"
[[steps]]
title = "Train"
text = "A network."
experiment = "far"
look = "Look at the curve."
explanation = "Far is far."
book = "reached after 2 epochs > 0.9"
book_source = "d2l 5.2, exercise 3"
  [steps.question]
  ask = "How far?"
  choices = [{text = "Nowhere", when = "reached < 0.15"}, {text = "Far", when = "reached >= 0.5"}]
[[steps]]
title = "A number"
text = "Another one."
experiment = "near"
explanation = "Near is near."
  [steps.question]
  ask = "How far now?"
  measure = "reached"
  low = 0
  high = 1
  unit = "%"
[[steps]]
title = "Compare"
text = "Both."
explanation = "They differ."
  [steps.question]
  ask = "Which is farther?"
  choices = [{text = "Step 2", when = "reached in step 2 > reached in step 3"}, {text = "Step 3", when = "reached in step 3 > 0"}]
[[steps]]
title = "Only run"
text = "No question."
experiment = "far"
explanation = "Seen."
"""


@dataclass
class Experiment:
    """What comes to `reached` once it is finished by hand; what it draws gives that away."""

    link: str
    page: str = "train"
    query: Mapping[str, str] = field(default_factory=dict)

    reached: ClassVar[dict[str, float | None]] = {}
    states: ClassVar[dict[str, State]] = {}

    @property
    def measures(self) -> dict[str, Measure]:
        return {"reached": Measure("Accuracy reached", "As far as it goes", "fraction", lambda _run, _after: None, per_epoch=True)}

    def check(self, name: str, run: str = "", after: int | None = None) -> None:
        if (name, run) != ("reached", ""):
            raise SpecError("measure", "must be one of reached", name)

    def start(self) -> None:
        self.states[self.link] = "moving"

    def state(self) -> State:
        return self.states.get(self.link, "none")

    def unmeasured(self) -> str:
        return ""

    def draw(self, place: str) -> None:
        st.text(f"Curve of {self.link} at {place}")

    def measure(self, name: str, run: str = "", after: int | None = None) -> float | None:
        return self.reached[self.link]


def experiment_of(link: str) -> Experiment:
    if link not in ("far", "near"):
        raise SpecError("page", "must be one of far, near", link)
    return Experiment(link)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(catalog, "FOLDER", tmp_path)
    monkeypatch.setattr(experiments, "experiment_of", experiment_of)
    monkeypatch.setattr(steps, "TICK_SECONDS", 60)
    Experiment.reached, Experiment.states = {"far": 0.842, "near": 0.1}, {}
    (tmp_path / "far.toml").write_text(LESSON, "utf-8")
    return tmp_path


@pytest.fixture
def page(folder: Path) -> Iterator[AppTest]:
    with visit("pages/lesson.py") as page:
        yield page


def curves(page: AppTest) -> list[str]:
    return [text.value for text in page.text]


def bet(page: AppTest, choice: int | float) -> AppTest:
    number = page.session_state["_values_lesson"].values["step"]
    begun = page.session_state["_lessons"]["far"].times_begun
    key = f"lesson_far_{number}_{begun}"
    widget(page, f"{key}_bet").set_value(choice)
    again(page)
    return press(page, f"{key}_place")


def go(page: AppTest, step: int) -> AppTest:
    widget(page, "lesson_step").set_value(step)
    return again(page)


def run(page: AppTest, step: int) -> AppTest:
    return press(page, f"lesson_far_{step}_0_run")


def finish(page: AppTest, link: str) -> AppTest:
    Experiment.states[link] = "done"
    return again(page)


def test_nothing_of_the_outcome_stands_before_the_bet(page: AppTest) -> None:
    Experiment.states["far"] = "done"  # trained on another page before
    opened(page, name="far", step="2")
    assert "How far?" in page.radio[0].label
    assert "Step 2 of 5" in words(page)
    assert curves(page) == []
    assert not any(said in words(page) for said in ("84.2", "Look at", "Far is far", "As in the book", "right"))
    assert page.button(key="lesson_far_2_0_place").disabled
    bet(page, 1)
    assert curves(page) == []
    assert "84.2" not in words(page)


def test_a_run_is_measured_beside_the_bet(page: AppTest) -> None:
    opened(page, name="far", step="2")
    run(bet(page, 0), 2)
    assert curves(page) == ["Curve of far at lesson_far_2_0"]
    assert "appears here when the run has ended" in words(page)
    assert "Far is far" not in words(page)
    finish(page, "far")
    said = words(page)
    assert ":material/radio_button_checked: Nowhere :blue-badge[your bet]" in said
    assert "Far :green-badge[what came out]" in said
    assert "**It came out differently:** Far" in said
    assert "Accuracy reached: **84.2 %**" in said
    assert "Far is far." in said
    assert "The book finds something else: Accuracy reached after 2 epochs > 90 % (d2l 5.2, exercise 3). On this machine:" in said
    assert address(page) == {"name": "far", "step": "2", "bets": "2:a", "ran": "2"}


def test_what_the_book_finds_is_said_to_be_so(page: AppTest) -> None:
    Experiment.reached["far"] = 0.95
    opened(page, name="far", step="2")
    finish(run(bet(page, 1), 2), "far")
    assert "**You bet right.**" in words(page)
    assert "This is as in the book (d2l 5.2, exercise 3): Accuracy reached after 2 epochs > 90 %." in words(page)


def test_a_run_that_fits_no_answer_is_said_to(page: AppTest) -> None:
    Experiment.reached["far"] = 0.3
    opened(page, name="far", step="2")
    finish(run(bet(page, 1), 2), "far")
    assert "**None of the answers fits**" in words(page)
    assert "what came out" not in words(page)


def test_a_run_that_ends_too_early_is_said_to_measure_nothing(page: AppTest) -> None:
    Experiment.reached["far"] = None
    opened(page, name="far", step="2")
    finish(run(bet(page, 1), 2), "far")
    assert "**This was not measured**: the run ended before." in words(page)
    assert "This run did not measure it." in words(page)


def test_a_number_that_was_bet_stands_beside_the_number_that_was_measured(page: AppTest) -> None:
    opened(page, name="far", step="3")
    slider = widget(page, "lesson_far_3_0_bet")
    assert (slider.min, slider.max, slider.step) == (0, 100, 1)
    finish(run(bet(page, 37), 3), "near")
    assert metrics(page) == {"Your bet": "37.0 %", "Measured": "10.0 %"}
    assert address(page)["bets"] == "3:0.37"


def test_an_answer_that_is_not_measured_follows_the_bet_at_once(page: AppTest) -> None:
    opened(page, name="far")
    assert "It is known." not in words(page)
    bet(page, 1)
    assert "**The answer is another one:** A" in words(page)
    assert "It is known." in words(page)


def test_steps_are_compared_by_what_was_measured_in_them(page: AppTest) -> None:
    opened(page, name="far", step="4")
    bet(page, 0)
    assert "**This is not measured yet**: run step 2 and step 3 first." in words(page)
    assert "They differ." not in words(page)
    finish(run(bet(go(page, 2), 0), 2), "far")
    run(bet(go(page, 3), 50), 3)
    Experiment.states["far"] = "none"  # the place of its run is taken
    finish(page, "near")
    assert metrics(page)["Measured"] == "10.0 %"
    assert "**You bet right.**" in words(go(page, 4))
    assert "They differ." in words(page)
    assert "Accuracy reached in step 2: **84.2 %**" in words(page)
    assert "**It came out differently:** Far" in words(go(page, 2))
    assert page.button(key="lesson_far_2_0_again")


def test_a_step_without_a_question_is_run_at_once(page: AppTest) -> None:
    opened(page, name="far", step="5")
    assert not page.radio
    finish(run(page, 5), "far")
    assert "Seen." in words(page)


def test_going_back_and_forward_keeps_what_was_answered(page: AppTest) -> None:
    opened(page, name="far")
    bet(page, 0)
    press(page, "lesson_next")
    assert "Step 2 of 5" in words(page)
    assert page.button(key="lesson_far_2_0_place")
    finish(run(bet(page, 1), 2), "far")
    press(page, "lesson_back")
    assert "**You bet right.**" in words(page)
    assert "Accuracy reached: **84.2 %**" in words(go(page, 2))
    opened(page, name="far", step="2", bets="1:b")  # an address of before: the browser's own Back
    assert "Accuracy reached: **84.2 %**" in words(page)
    assert address(page)["bets"] == "1:a,2:b"


def test_a_reload_keeps_what_was_answered(page: AppTest, folder: Path) -> None:
    with visit("pages/lesson.py") as reloaded:
        opened(reloaded, name="far", step="2", bets="1:a,2:b", ran="2")
        assert "no run of this experiment" in words(reloaded)
        finish(run(reloaded, 2), "far")
        assert "**You bet right.**" in words(reloaded)


def test_a_bet_stands_until_the_lesson_is_begun_anew(page: AppTest) -> None:
    opened(page, name="far", step="2")
    bet(page, 1)
    assert not page.radio
    opened(page, name="far", step="2", bets="2:a")
    assert ":material/radio_button_checked: Far" in words(page)
    press(page, "lesson_anew")
    assert address(page) == {"name": "far"}
    assert "Step 1 of 5" in words(page)
    press(page, "lesson_next")
    assert page.radio[0].value is None


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ({"step": "9"}, "**step** must be a step of this lesson, which has 5, got `9`"),
        ({"step": "x"}, "**step** must be a whole number from 1 to 15"),
        ({"bets": "a"}, "**bets** must be a step and a bet for each"),
        ({"bets": "1:a,1:b"}, "**bets** must be a step and a bet for each"),
        ({"bets": "1:c"}, "**bets** must be bets that this lesson asks for, got `1:c`"),
        ({"bets": "3:1.5"}, "**bets** must be bets that this lesson asks for, got `3:1.5`"),
        ({"bets": "3:a"}, "**bets** must be bets that this lesson asks for"),
        ({"bets": "5:a"}, "**bets** must be bets that this lesson asks for"),
        ({"bets": "3:nan"}, "**bets** must be a number"),
        ({"ran": "1"}, "**ran** must be steps of this lesson that run something, got `1`"),
        ({"ran": "2,2"}, "**ran** must be numbers of steps, each once"),
        ({"view": "paper"}, "**view** must be one of steps, handout"),
        ({"pages": "1"}, "The link sets what this page does not have"),
    ],
)
def test_what_a_link_gets_wrong_is_named(page: AppTest, query: dict[str, str], rule: str) -> None:
    opened(page, name="far", **query)
    assert rule in "\n".join(warning.value for warning in page.warning)
    assert "of 5" in words(page) or "view" in query


@given(texts(max_size=20) | texts("123:ab,.e-", max_size=20))
def test_any_text_in_a_link_is_read_and_written_again_or_refused(text: str) -> None:
    for known in (BETS, RAN):
        with suppress(SpecError):
            read = known.read(text)
            assert known.read(known.write(read)) == read


def test_a_lesson_that_does_not_exist_is_said_to(page: AppTest) -> None:
    opened(page, name="`gone`")
    assert page.error[0].value == "There is no lesson `gone`."
    assert "All lessons" in [link.proto.label for link in page.get("page_link")] or not page.get("page_link")


def test_a_broken_file_is_named_and_the_others_work_and_a_file_is_read_again_once_it_changes(folder: Path) -> None:
    (folder / "broken.toml").write_text(LESSON.replace('"near"', '"nowhere"'), "utf-8")
    (folder / "binary.toml").write_bytes(b"\xff\xfe")
    (folder / "folder.toml").mkdir()
    with visit("pages/lessons.py") as page:
        again(page)
        errors = [error.value for error in page.error]
        assert "**`folder`** cannot be shown: `folder.toml: must be a file that can be read, got 'Is a directory'`" in errors
        assert "**`binary`** cannot be shown: `binary.toml: must be a text in UTF-8, got b'\\xff'`" in errors
        assert "**`broken`** cannot be shown: `broken.toml, step 3: experiment: page must be one of far, near, got 'nowhere'`" in errors
        assert "How far it comes." in words(page)
        assert "5 minutes, 5 steps. Needs: Nothing." in words(page)
        (folder / "broken.toml").write_text(LESSON.replace("How far it comes.", "Mended."), "utf-8")
        assert "Mended." in words(again(page))
        assert len(page.error) == 2
    with visit("pages/lesson.py") as page:
        opened(page, name="binary")
        assert "This lesson cannot be shown: `binary.toml: must be a text in UTF-8" in page.error[0].value


def test_lessons_stand_in_the_order_of_the_book(folder: Path) -> None:
    for name, section in (("a", "5.10 Later"), ("b", "5.4.1 First"), ("c", "5.6 Between")):
        (folder / f"{name}.toml").write_text(LESSON.replace("5.4 Numerical stability", section), "utf-8")
    (folder / "aa.toml").write_text("no lesson", "utf-8")
    assert list(catalog.lessons()) == ["far", "b", "c", "a", "aa"]


def test_a_handout_has_every_question_and_gives_nothing_away(page: AppTest) -> None:
    opened(page, name="far", view="handout")
    said = words(page)
    assert all(
        asked in said for asked in ("Which letter is first?", "How far?", "How far now?", "Which is farther?", "☐ Nowhere", "from 0.0 %")
    )
    assert said.count("What came out:") == 3
    assert not any(given in said for given in ("It is known", "Answer", "> 90 %", "Measured"))
    widget(page, "lesson_answers").set_value(True)
    said = words(again(page))
    assert "Answer: **A**" in said
    assert "It is known." in said
    assert "Measured: Accuracy reached." in said
    assert "The book: Accuracy reached after 2 epochs > 90 % (d2l 5.2, exercise 3)." in said
    assert address(page) == {"name": "far", "view": "handout", "answers": "yes"}
    press(page, "lesson_steps")
    assert "Step 1 of 5" in words(page)
