"""What a link may ask for is what the widget can show: every field of every page at both ends of its limits, and just beyond."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui import computing
from pages.ui.link import Field, LinkState
from tests.support.pages.visit import opened, visit_with_jobs

SECTIONS: dict[str, list[dict[str, str]]] = {
    "activations": [{}],
    "generalization": [{"part": part} for part in ("polynomial", "images", "labels")] + [{"act": act} for act in ("decay", "dropout")],
    "nonlinearity": [{"act": act} for act in ("perceptron", "playground", "ends")],  # a collapse is fitted to 60,000 images
    "stability": [{"act": act} for act in ("depth", "chain", "matrices", "training", "symmetry")],
    "tensors": [{"act": act} for act in ("operations", "contour")],
}
CHOSEN = ("act", "part")  # which part of a page is shown
LEFT_TO_OTHERS = ("closer", "map")  # one of those that are shown, whatever these are
ENDS = {"lowest": 0, "highest": -1}


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
    return "min_value" in field.limits and not isinstance(field.default, tuple)


def at(field: Field, end: int) -> Any:
    """The value at one end of a field's limits; its default where it has none."""
    limits = field.limits
    if field.name in (*CHOSEN, *LEFT_TO_OTHERS) or not limits.keys() & {"min_value", "options"}:
        return field.default
    if "options" in limits:
        value = limits["options"][end]
        return [value] if isinstance(field.default, list) else value
    ends = (limits["min_value"], limits["max_value"])
    if isinstance(field.default, tuple):
        return (ends[0], ends[0] + limits["step"]) if end == 0 else (ends[1] - limits["step"], ends[1])
    return ends[end]


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_both_ends_of_all_fields_are_shown_as_they_are(
    page: tuple[AppTest, list[dict[str, str]]], links: list[LinkState], end: int
) -> None:
    visitor, sections = page
    asked = {field.name: at(field, end) for field in fields_of(visitor, links, sections[0])}
    query = {field.name: field.write(asked[field.name]) for field in links[-1]._fields.values() if asked[field.name] != field.default}
    agreeing = 0
    for section in sections:
        opened(visitor, **query | section)
        link = links[-1]
        assert link.errors == ()
        shown = {name: value for name, value in asked.items() if name not in (*CHOSEN, *LEFT_TO_OTHERS)}
        assert {name: link[name] for name in shown} == shown
        agreeing += agreeing_widgets(visitor, link)
    assert agreeing


def agreeing_widgets(page: AppTest, link: LinkState) -> int:
    """How many widgets show a field of this link; each within its field's limits and with its step."""
    found = 0
    for name, field in link._fields.items():
        for widget in (*page.slider, *page.number_input, *page.selectbox, *page.radio):
            if widget.key != link._key(name) or not field.limits:
                continue
            found += 1
            if "options" not in field.limits:
                low, high = field.limits["min_value"], field.limits["max_value"]
                assert low <= widget.min <= widget.max <= high, name
                assert widget.step == field.limits.get("step", widget.step), name
            elif name not in LEFT_TO_OTHERS:
                assert len(widget.options) == len(field.limits["options"]), name
    return found


def test_just_beyond_either_end_is_refused_by_name(page: tuple[AppTest, list[dict[str, str]]], links: list[LinkState]) -> None:
    visitor, sections = page
    numbers = [field for field in fields_of(visitor, links, sections[0]) if is_number(field)]
    for end, sign in ((0, -1), (-1, 1)):
        query = {field.name: repr(at(field, end) + sign * (1 if isinstance(field.default, int) else 1e-9)) for field in numbers}
        opened(visitor, **query | sections[0])
        assert {error.field: float(str(error.value)) for error in links[-1].errors} == {name: float(value) for name, value in query.items()}
        assert len(visitor.warning) >= len(numbers)
