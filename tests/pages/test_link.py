"""A page's state in its link: read, refused with reasons, kept through page switches, written back, and never at the cost of a click."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from mlp_core.spec import Bounds, SpecError
from pages.ui.address import STALE_SECONDS
from pages.ui.link import Field, choice, choices, number, number_text, span, stop, text
from tests.support.pages.visit import bare, widget


@pytest.fixture
def page() -> AppTest:
    return AppTest.from_file(str(Path(__file__).parent / "apps" / "linked_page.py"), default_timeout=30)


def shown(page: AppTest) -> str:
    assert not page.exception
    return str(page.text[0].value)


def address(page: AppTest) -> dict[str, str]:
    return {name: value if isinstance(value, str) else value[-1] for name, value in page.query_params.items()}


def open_with(page: AppTest, **query: str) -> AppTest:
    page.query_params.clear()
    page.query_params.update(query)
    return page.run()


def leave_and_return(page: AppTest, **query: str) -> AppTest:
    """As Streamlit's navigation does it: the other page draws none of these widgets, and the link that leads back brings the address."""
    page.session_state["elsewhere"] = True
    open_with(page)
    page.session_state["elsewhere"] = False
    return open_with(page, **query)


def test_defaults_leave_the_address_bare(page: AppTest) -> None:
    assert shown(page.run()) == "1 1 a -8..8"
    assert address(page) == {}


def test_a_link_sets_every_field(page: AppTest) -> None:
    open_with(page, x="-2.5", step="2", show="b,a", range="-4,4")
    assert shown(page) == "-2.5 2 b,a -4..4"
    assert page.slider(key="linked_x").value == -2.5
    assert page.selectbox(key="linked_step").value == "2"
    assert address(page) == {"x": "-2.5", "step": "2", "show": "b,a", "range": "-4,4"}


def test_a_click_is_written_and_stays(page: AppTest) -> None:
    page.run().slider(key="linked_x").set_value(3.0).run()
    assert (shown(page), address(page)) == ("3 1 a -8..8", {"x": "3"})
    page.run()
    assert (shown(page), address(page)) == ("3 1 a -8..8", {"x": "3"})
    page.slider(key="linked_x").set_value(1.0).run()
    assert address(page) == {}


def test_after_a_run_that_was_cut_short_every_widget_still_begins_with_its_value(page: AppTest) -> None:
    """The first message may never have reached the browser, which would then send back what the widget begins with."""
    page.session_state["cut_short"] = True
    open_with(page, x="-2.5")
    page.session_state["cut_short"] = False
    for _ in range(2):
        page.run()
        assert (page.slider(key="linked_x").proto.default, shown(page)) == ([-2.5], "-2.5 1 a -8..8")


def test_a_widget_under_the_hand_is_given_nothing_back(page: AppTest) -> None:
    """A key held down cuts run after run short: a value given to the slider then would take it back to an earlier press."""
    first = page.run().slider(key="linked_x").proto.id
    page.session_state["cut_short"] = True
    page.slider(key="linked_x").set_value(2.0).run()
    for value in (3.0, 4.0):
        page.slider(key="linked_x").set_value(value).run()
        assert not page.slider(key="linked_x").proto.set_value
        assert page.slider(key="linked_x").proto.id == first
    page.session_state["cut_short"] = False
    assert shown(page.run()) == "4 1 a -8..8"


def test_parameters_of_others_are_left_alone(page: AppTest) -> None:
    open_with(page, theme="x", x="2").slider(key="linked_x").set_value(4.0).run()
    assert address(page) == {"theme": "x", "x": "4"}


def test_a_bad_value_is_named_and_the_rest_still_counts(page: AppTest) -> None:
    open_with(page, x="99", step="2", show="a,c")
    assert shown(page) == "1 2 a -8..8"
    named = [warning.value for warning in page.warning]
    assert len(named) == 2
    assert all(part in named[0] for part in ("**x**", "must be a number from −20 to 20", "`99.0`", "`1`"))
    assert all(part in named[1] for part in ("**show**", "must be some of a, b, each once", "`a,c`", "`a`"))
    assert address(page) == {"step": "2"}


def test_a_value_that_another_field_forbids_is_named_with_what_stands_in_its_place(page: AppTest) -> None:
    open_with(page, x="7.5", range="-8,5")
    assert (shown(page), address(page)) == ("5 1 a -8..5", {"x": "5", "range": "-8,5"})
    assert [warning.value for warning in page.warning] == [
        "The link asks for something that cannot be: **x** must lie within the range, got `7.5`. `5` stands in its place."
    ]
    assert len(page.run().warning) == 1
    page.slider(key="linked_range").set_value((-8.0, 4.0)).run()  # from now on it is the person who moves it
    assert shown(page) == "4 1 a -8..4"
    assert len(page.run().warning) == 0


def test_a_parameter_that_is_there_twice_counts_as_the_last_and_is_named(page: AppTest) -> None:
    page.query_params["x"], page.query_params["step"] = ["3", "2"], ["2", "2"]
    assert shown(page.run()) == "2 2 a -8..8"
    assert [warning.value for warning in page.warning] == [
        "The link asks for something that cannot be: **x** must stand in a link once, got `3, 2`. `2` stands in its place."
    ]


def test_what_nobody_asked_for_is_fitted_without_a_word(page: AppTest) -> None:
    assert shown(open_with(page, range="-8,0.5")) == "0.5 1 a -8..0.5"
    assert len(page.warning) == 0


@pytest.mark.parametrize(("asked", "value"), [("1.75", "1.75"), ("2", "2")])
def test_a_number_between_two_stops_is_one_more_of_them(page: AppTest, asked: str, value: str) -> None:
    open_with(page, show="a,b", step=asked)
    assert shown(page) == f"1 {value} a,b -8..8"
    assert list(page.selectbox(key="linked_step").options) == sorted({"0.5", "1", "2", value})
    page.selectbox(key="linked_step").set_value("1").run()
    assert list(page.selectbox(key="linked_step").options) == sorted({"0.5", "1", "2", value})  # a list that is open must not change
    assert address(page) == {"show": "a,b"}


@pytest.mark.parametrize("names", [["theme"], ["theme", "y"], [f"n{index}" for index in range(40)], ["<img src=x>", "`*[a](b)*`"]])
def test_parameters_that_the_page_does_not_have_are_named_in_one_line(page: AppTest, names: list[str]) -> None:
    open_with(page, x="2", present="1", embed="true", embed_options="show_padding", **dict.fromkeys(names, "1"))
    assert shown(page) == "2 1 a -8..8"
    (said,) = [warning.value for warning in page.warning]
    assert said.startswith("The link sets what this page does not have, which changes nothing: ")
    assert said.count("`") == 2 * min(len(names), 5)
    assert bare(said).rstrip(".").endswith(f"and {len(names) - 5} more" if len(names) > 5 else ", " * (len(names) - 1))
    assert not set(bare(said)) & set("<>*[]")
    page.slider(key="linked_x").set_value(3.0).run()
    assert len(page.run().warning) == 0


def test_the_reasons_stand_until_something_is_changed(page: AppTest) -> None:
    open_with(page, x="99").run()
    assert len(page.warning) == 1
    page.slider(key="linked_x").set_value(2.0).run()
    assert len(page.run().warning) == 0


def test_a_hostile_value_comes_to_life_nowhere(page: AppTest) -> None:
    open_with(page, step="`[click](http://example.org)`" * 400)
    assert len(page.warning) == 1
    assert page.warning[0].value.count("`") == 4  # two pieces of code: what was given and the default
    assert len(page.warning[0].value) < 400


def test_another_link_while_the_page_is_open(page: AppTest) -> None:
    page.run().slider(key="linked_x").set_value(3.0).run()
    open_with(page, range="-5,5")
    assert shown(page) == "1 1 a -5..5"


def test_back_to_the_bare_address_restores_the_defaults(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    page.run().slider(key="linked_x").set_value(3.0).run()
    wait(monkeypatch, STALE_SECONDS + 1)
    assert shown(open_with(page)) == "1 1 a -8..8"


def test_a_click_that_overtakes_the_address_is_not_lost(page: AppTest) -> None:
    """The browser sends the address it shows, which may be older than the last that was written to it."""
    page.run().slider(key="linked_x").set_value(3.0).run()
    page.query_params.clear()
    page.slider(key="linked_x").set_value(4.0).run()
    assert (shown(page), address(page)) == ("4 1 a -8..8", {"x": "4"})
    page.query_params["x"] = "3"
    page.multiselect(key="linked_show").set_value(["b"]).run()
    assert (shown(page), address(page)) == ("4 1 b -8..8", {"x": "4", "show": "b"})


def test_a_click_that_overtakes_the_address_is_not_lost_on_a_slow_machine(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    page.run().slider(key="linked_x").set_value(3.0).run()
    page.query_params.clear()
    wait(monkeypatch, STALE_SECONDS + 60)
    page.slider(key="linked_x").set_value(4.0).run()
    assert (shown(page), address(page)) == ("4 1 a -8..8", {"x": "4"})


def test_a_click_back_to_the_address_that_the_browser_still_shows_is_written(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    page.run().slider(key="linked_x").set_value(3.0).run()
    page.query_params.clear()
    page.slider(key="linked_x").set_value(1.0).run()
    assert address(page) == {}
    wait(monkeypatch, STALE_SECONDS + 1)
    assert shown(page.run()) == "1 1 a -8..8"


def test_coming_back_finds_all_as_it_was(page: AppTest) -> None:
    page.run().slider(key="linked_x").set_value(3.0).run()
    page.multiselect(key="linked_show").set_value(["a", "b"]).run()
    page.selectbox(key="linked_step").set_value("2").run()
    before, link = shown(page), address(page)
    assert shown(leave_and_return(page)) == before == "3 2 a,b -8..8"
    assert address(page) == link
    assert shown(leave_and_return(page, **link)) == before


def test_coming_back_by_a_link_follows_the_link(page: AppTest) -> None:
    page.run().slider(key="linked_x").set_value(3.0).run()
    assert shown(leave_and_return(page, step="2")) == "1 2 a -8..8"


def test_a_field_that_is_not_drawn_keeps_its_value(page: AppTest) -> None:
    open_with(page, step="2", show="a,b")
    page.multiselect(key="linked_show").set_value(["a"]).run()
    page.run()
    assert shown(page) == "1 2 a -8..8"
    page.multiselect(key="linked_show").set_value(["a", "b"]).run()
    assert page.selectbox(key="linked_step").value == "2"


def test_a_slider_whose_ends_move_keeps_its_value_inside_them(page: AppTest) -> None:
    page.run().slider(key="linked_x").set_value(3.0).run()
    page.slider(key="linked_range").set_value((-8.0, 5.0)).run()
    assert shown(page) == "3 1 a -8..5"
    page.slider(key="linked_range").set_value((-8.0, 2.0)).run()
    assert shown(page) == "2 1 a -8..2"
    assert widget(page, "linked_x").value == 2.0


def wait(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    later = time.monotonic() + seconds
    monkeypatch.setattr("pages.ui.address.time.monotonic", lambda: later)


BOUNDS = Bounds(-50, 50)
KINDS: dict[str, tuple[Field, st.SearchStrategy[Any]]] = {
    "number": (number("n", 0.0, BOUNDS), st.floats(-50, 50)),
    "whole number": (number("n", 3, Bounds(1, 100, whole=True)), st.integers(1, 100)),
    "span": (span("s", (-1.0, 1.0), BOUNDS), st.tuples(st.floats(-50, -1e-300), st.floats(0, 50))),
    "stop": (stop("d", 3.0, (0.0, 1.0, 3.0, 100.0), least=1.0), st.just(0.0) | st.floats(1, 100)),
    "stop of texts": (stop("r", "3", ("0.1", "3", "10")), st.sampled_from(["3", "0.1"]) | st.floats(0.1, 10).map(number_text)),
    "whole stop of texts": (stop("w", "64", ("8", "64", "128")), st.integers(8, 128).map(str)),
    "choice": (choice("c", "a", ("a", "b")), st.sampled_from(["a", "b"])),
    "choices": (
        choices("m", (), ("a", "b", "c")),
        st.permutations("abc").flatmap(lambda names: st.integers(0, 3).map(lambda n: names[:n])),
    ),
    "text": (text("t", "", 20), st.text(max_size=20)),
}


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None)
@given(data=st.data())
def test_reading_undoes_writing(kind: str, data: st.DataObject) -> None:
    field, values = KINDS[kind]
    value = data.draw(values)
    assert field.read(field.write(value)) == value


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None)
@given(given_text=st.text(max_size=60))
def test_any_text_is_read_or_refused_by_the_name_of_its_field(kind: str, given_text: str) -> None:
    field, _ = KINDS[kind]
    value, refused = None, None
    try:
        value = field.read(given_text)
    except SpecError as error:
        refused = error.field
    assert refused == field.name or field.read(field.write(value)) == value


@pytest.mark.parametrize(
    ("kind", "refused", "rule"),
    [
        ("number", "50.1", "must be a number from −50 to 50"),
        ("number", "nan", "must be a number from −50 to 50"),
        ("number", "1_0", "must be a number from −50 to 50"),
        ("number", "٣", "must be a number from −50 to 50"),
        ("number", "0" * 41, "must be a number from −50 to 50"),
        ("whole number", "2.5", "must be a whole number from 1 to 100"),
        ("stop", "0.5", "must be 0 or a number from 1 to 100"),
        ("stop", "100.5", "must be 0 or a number from 1 to 100"),
        ("stop of texts", "0.05", "must be a number from 0.1 to 10"),
        ("whole stop of texts", "8.5", "must be a whole number from 8 to 128"),
        ("span", "1", "must be two numbers with a comma between them"),
        ("span", "2,1", "must begin below its end"),
        ("span", "1,1", "must begin below its end"),
        ("span", "0,51", "must be a number from −50 to 50"),
        ("choice", "A", "must be one of a, b"),
        ("choices", "a,a", "must be some of a, b, c, each once"),
        ("choices", "", "must be some of a, b, c, each once"),
        ("text", "x" * 21, "must be at most 20 characters"),
    ],
)
def test_what_a_field_refuses(kind: str, refused: str, rule: str) -> None:
    with pytest.raises(SpecError) as error:
        KINDS[kind][0].read(refused)
    assert error.value.rule == rule
