"""What a link asks for is applied to the last digit, or it is said: every field of every page at both ends of its limits, between the steps
of its widget, and just beyond; by its name where another field forbids it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui import computing
from pages.ui.link import Field, LinkState
from tests.support.pages.visit import address, again, opened, visit_with_jobs, widget

SECTIONS: dict[str, list[dict[str, str]]] = {
    "activations": [{}],
    "generalization": [{"part": part} for part in ("polynomial", "images", "labels")] + [{"act": act} for act in ("decay", "dropout")],
    "nonlinearity": [{"act": act} for act in ("collapse", "perceptron", "playground", "ends")],
    "stability": [{"act": act} for act in ("depth", "chain", "matrices", "training", "symmetry")],
    "tensors": [{"act": act} for act in ("operations", "contour")],
}
CHOSEN = ("act", "part")  # which part of a page is shown
BOUND_TO_OTHERS = {"closer", "x", "map", "k", "cell", "shown", "space", "across", "up"}  # which other fields may forbid
OPTIONS_OF_OTHERS = ("closer", "map")  # one of those that are shown, whatever these are
PLACES = {"lowest": 0.0, "highest": 1.0, "between": 0.3819660112501051}  # of the way from the lowest to the highest
TEXTS = {"drawn": ("", "gACAAQ", "f_-AAg"), "shown": ("0.0", "7.7", "2.3"), "x": ("-8", "8,8", "1.2345678901234567,-0.1")}


@pytest.fixture
def links(monkeypatch: pytest.MonkeyPatch) -> list[LinkState]:
    """The links that a page makes while it runs, the newest last."""
    made: list[LinkState] = []
    make = LinkState.__init__

    def remembered(self: LinkState, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        made.append(self)

    monkeypatch.setattr(LinkState, "__init__", remembered)
    return made


@pytest.fixture(params=SECTIONS)
def page(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[AppTest, list[dict[str, str]]]]:
    with visit_with_jobs(f"pages/{request.param}.py", monkeypatch) as page:
        monkeypatch.setattr(computing, "AT_ONCE_SECONDS", 0.0)  # a computation is shown by its progress
        yield page, SECTIONS[str(request.param)]


def fields_of(page: AppTest, links: list[LinkState], section: dict[str, str]) -> tuple[Field, ...]:
    opened(page, **section)
    return tuple(links[-1]._fields.values())


def is_number(field: Field) -> bool:
    return field.between or ("min_value" in field.limits and not isinstance(field.default, tuple))


def ends(field: Field) -> tuple[Any, Any]:
    """The lowest and the highest number of a field: two texts, where it takes texts."""
    if "min_value" in field.limits:
        return field.limits["min_value"], field.limits["max_value"]
    return min(field.limits["options"], key=float), max(field.limits["options"], key=float)


def at(field: Field, place: float) -> Any:
    """A value of a field so far from its lowest to its highest; of names one of those at this place."""
    if field.name in CHOSEN:
        return field.default
    if is_number(field) or (isinstance(field.default, tuple) and field.limits):
        low, high = ends(field)
        whole = str(low).isdecimal() and str(high).isdecimal() and not isinstance(low, float)
        number = [low, high][int(place)] if place in (0, 1) else float(low) + (float(high) - float(low)) * place
        if isinstance(field.default, tuple):
            return (number, number + field.limits["step"]) if place < 1 else (number - field.limits["step"], number)
        return type(field.default)(round(number) if whole and isinstance(number, float) else number)
    if "options" in field.limits:
        value = field.limits["options"][int(place * (len(field.limits["options"]) - 1))]
        return [value] if isinstance(field.default, list) else value
    if field.name in TEXTS:
        return field.read(TEXTS[field.name][list(PLACES.values()).index(place)])
    return not field.default if isinstance(field.default, bool) else field.default


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_what_a_link_asks_for_is_so_to_the_last_digit_or_named(
    page: tuple[AppTest, list[dict[str, str]]], links: list[LinkState], place: float
) -> None:
    visitor, sections = page
    fields = fields_of(visitor, links, sections[0])
    asked = {field.name: value for field in fields if (value := at(field, place)) != field.default}
    writes = {field.name: field.write for field in fields}
    agreeing = 0
    for section in sections:
        opened(visitor, **{name: writes[name](value) for name, value in asked.items()} | section)
        link = links[-1]
        named, written = {error.field for error in link.errors}, address(visitor)
        assert named <= BOUND_TO_OTHERS
        assert named == {str(warning.value).split("**")[1] for warning in visitor.warning if "cannot be" in str(warning.value)}
        for name in asked.keys() - named:
            assert (link[name], link._fields[name].read(written[name])) == (asked[name], asked[name]), name
        agreeing += agreeing_widgets(visitor, link)
    assert agreeing


def agreeing_widgets(page: AppTest, link: LinkState) -> int:
    """How many widgets show a field of this link; each shows its value, within its field's limits and with its step."""
    found = 0
    for name, field in link._fields.items():
        for drawn in (*page.slider, *page.select_slider, *page.number_input, *page.selectbox, *page.radio):
            if drawn.key != link._key(name) or not field.limits:
                continue
            found += 1
            assert drawn.value == link[name], name
            if "options" not in field.limits:
                low, high = field.limits["min_value"], field.limits["max_value"]
                assert low <= drawn.min <= drawn.max <= high, name
                assert drawn.step == field.limits.get("step", drawn.step), name
                for value in drawn.value if isinstance(drawn.value, tuple) else (drawn.value,):
                    assert float(drawn.proto.format % value) == pytest.approx(value, rel=1e-9), name
            elif name not in OPTIONS_OF_OTHERS:
                assert len(drawn.options) == len(link.options(name)) <= len(field.limits["options"]) + field.between, name
    return found


def test_just_beyond_either_end_is_refused_by_name(page: tuple[AppTest, list[dict[str, str]]], links: list[LinkState]) -> None:
    visitor, sections = page
    numbers = [field for field in fields_of(visitor, links, sections[0]) if is_number(field)]
    for end, sign in ((0, -1), (1, 1)):
        query = {}
        for field in numbers:
            last = ends(field)[end]
            query[field.name] = repr(int(last) + sign if str(last).isdecimal() else float(last) + sign * 1e-9)
        opened(visitor, **query | sections[0])
        assert {error.field: float(str(error.value)) for error in links[-1].errors} == {name: float(value) for name, value in query.items()}
        assert len(visitor.warning) >= len(numbers)


@pytest.mark.parametrize(
    ("where", "query", "field", "rule", "instead"),
    [
        ("activations", {"x": "15"}, "x", "must lie in the range of x, from −8 to 8", "8"),
        ("activations", {"closer": "gelu"}, "closer", "must be one of those that are shown: relu, sigmoid, tanh", "relu"),
        ("stability", {"map": "4"}, "map", "must be the number of a design that is shown: 1, 2, 3", "1"),
        ("stability", {"act": "matrices", "k": "101"}, "k", "must be at most the number of factors, 100", "100"),
        ("nonlinearity", {"act": "playground", "shown": "2.0"}, "shown", "must be a layer and a unit of 2 → 8, both from 0", None),
        ("nonlinearity", {"act": "playground", "space": "2"}, "space", "must be a hidden layer, 1 to 1", "1"),
        ("nonlinearity", {"act": "playground", "units1": "4", "up": "8"}, "up", "must be a unit of hidden layer 1, 1 to 4", "4"),
        ("tensors", {"cell": "4000"}, "cell", "must be a cell of the result, 0 to 11", "11"),
    ],
)
def test_what_another_field_forbids_is_said_with_what_stands_in_its_place(
    monkeypatch: pytest.MonkeyPatch, where: str, query: dict[str, str], field: str, rule: str, instead: str | None
) -> None:
    with visit_with_jobs(f"pages/{where}.py", monkeypatch) as page:
        opened(page, **query)
    (said,) = [warning.value for warning in page.warning if "cannot be" in str(warning.value)]
    assert f"**{field}** {rule}, got `{query[field]}`." in said
    assert ("It is left out." in said) if instead is None else (f"`{instead}`" in said.partition("got")[2])


def test_a_value_that_a_later_section_cannot_take_is_kept_until_then_and_said_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with visit_with_jobs("pages/stability.py", monkeypatch) as page:
        opened(page, act="chain", k="101")
        assert not page.warning
        assert address(page)["k"] == "101"
        widget(page, "stability_act").set_value("matrices")
        for _ in range(2):
            assert ["**k**" in str(warning.value) for warning in again(page).warning] == [True]
        assert address(page) == {"act": "matrices"}
