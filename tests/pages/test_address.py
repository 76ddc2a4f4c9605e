"""The address bar as a page's memory: links are followed, our own writing and clicks that it overtakes are not taken for links."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pages.ui import address as module
from pages.ui.address import STALE_SECONDS, Address, Query


class Bar(dict[str, list[str]]):
    """`st.query_params`: every parameter may be there several times, and writing takes effect even if the run ends with it."""

    cut_short = False

    def __getitem__(self, name: str) -> str:  # type: ignore[override]
        return super().__getitem__(name)[-1]

    def get_all(self, name: str) -> list[str]:
        return super().__getitem__(name)

    def from_dict(self, values: dict[str, Any]) -> None:
        self.clear()
        self.update({name: value if isinstance(value, list) else [value] for name, value in values.items()})
        if self.cut_short:
            raise InterruptedError


class Tab:
    """A browser's tab: what its bar shows, and what time it is."""

    def __init__(self) -> None:
        self.bar, self.seconds = Bar(), 100.0
        self.st = SimpleNamespace(session_state={}, query_params=self.bar)
        self.context = SimpleNamespace(is_history_navigation=False)

    def goes_to(self, **query: str) -> None:
        self.bar.clear()
        self.bar.update({name: [value] for name, value in query.items()})

    def run(self, chosen: Query | None = None, *, entering: bool = False, widgets: Query | None = None) -> Query | None:
        """A run of the page, whose widgets say `widgets` at first: follow a link, if one led here, and write what is chosen."""
        address = Address("page", ("a", "b"))
        query = address.arrived(entering=entering, chosen=lambda: widgets)
        if query is not None:
            address.followed(query)
        address.write(chosen if chosen is not None else query or {})
        return query


@pytest.fixture
def tab(monkeypatch: pytest.MonkeyPatch) -> Tab:
    tab = Tab()
    monkeypatch.setattr(module, "st", tab.st)
    monkeypatch.setattr(module, "get_script_run_ctx", lambda: tab.context)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: tab.seconds))
    return tab


def test_the_first_visit_follows_its_link_also_a_bare_one(tab: Tab) -> None:
    assert tab.run(entering=True) == {}
    other = Address("other page", ("a",))
    tab.goes_to(a="1")
    assert other.arrived(entering=True, chosen=lambda: None) == {"a": "1"}


def test_a_link_is_followed_once(tab: Tab) -> None:
    tab.goes_to(a="1")
    assert tab.run(entering=True) == {"a": "1"}
    assert tab.run({"a": "1"}) is None


def test_a_link_counts_until_it_was_followed(tab: Tab) -> None:
    tab.goes_to(a="1")
    for _ in range(2):  # the first run is cut short before the page has taken over what the link says
        assert Address("page", ("a", "b")).arrived(entering=True, chosen=lambda: None) == {"a": "1"}


def test_what_the_page_writes_is_no_link(tab: Tab) -> None:
    tab.run(entering=True)
    assert tab.run({"a": "1"}) is None
    assert tab.bar == {"a": ["1"]}
    assert tab.run({"a": "1"}) is None


def test_writing_leaves_the_parameters_of_others_alone(tab: Tab) -> None:
    tab.bar.update(theme=["dark", "light"], b=["2"])
    tab.run({"a": "1"}, entering=True)
    assert tab.bar == {"theme": ["dark", "light"], "a": ["1"]}


@pytest.mark.parametrize(("seconds", "followed"), [(0.0, False), (STALE_SECONDS - 0.1, False), (STALE_SECONDS + 0.1, True)])
def test_an_older_address_is_a_click_on_its_way_at_first_and_the_way_back_later(tab: Tab, seconds: float, followed: bool) -> None:
    tab.goes_to(a="1")
    tab.run(entering=True)
    tab.run({"a": "2"})
    tab.seconds += seconds
    tab.goes_to(a="1")
    assert (tab.run({"a": "3"}) is not None) is followed


@pytest.mark.parametrize("widgets", [{"a": "2"}, {"a": "3"}])  # the second moved while the browser's Back was pressed
def test_back_and_forward_are_followed_at_once(tab: Tab, widgets: Query) -> None:
    tab.goes_to(a="1")
    tab.run(entering=True)
    tab.run({"a": "2"})
    tab.context.is_history_navigation = True
    tab.goes_to(a="1")
    assert tab.run(widgets=widgets) == {"a": "1"}
    tab.goes_to(a="2")
    assert tab.run(widgets={"a": "1"}) == {"a": "2"}


def test_of_two_quick_writes_the_one_between_is_no_link_either(tab: Tab) -> None:
    tab.run(entering=True)
    tab.run({"a": "1"})
    tab.goes_to()  # the browser has heard of neither
    tab.run({"a": "2"})
    tab.goes_to(a="1")  # now of the first
    assert tab.run({"a": "3"}) is None


@pytest.mark.parametrize(("widgets", "followed"), [({"a": "3"}, False), ({"a": "2"}, True)])
def test_an_older_address_with_a_widget_moved_is_a_click_however_late(tab: Tab, widgets: Query, followed: bool) -> None:
    """A browser that is busy sends a click with an address from long ago."""
    tab.goes_to(a="1")
    tab.run(entering=True)
    tab.run({"a": "2"})
    tab.seconds += 60
    tab.goes_to(a="1")
    assert (tab.run(widgets, widgets=widgets) is not None) is followed


def test_another_link_is_followed_at_once(tab: Tab) -> None:
    tab.run(entering=True)
    tab.run({"a": "1"})
    tab.goes_to(b="7")
    assert tab.run() == {"b": "7"}


def test_coming_back_from_another_page_to_the_bare_address_changes_nothing(tab: Tab) -> None:
    tab.goes_to(a="1")
    tab.run(entering=True)
    tab.goes_to()
    assert tab.run({"a": "1"}, entering=True) is None
    assert tab.bar == {"a": ["1"]}


def test_coming_back_by_a_link_follows_it_even_if_it_was_left_just_now(tab: Tab) -> None:
    tab.goes_to(a="1")
    tab.run(entering=True)
    tab.run({"a": "2"})
    tab.goes_to(a="1")
    assert tab.run(entering=True) == {"a": "1"}


def test_a_run_that_is_cut_short_while_it_writes_has_written(tab: Tab) -> None:
    tab.run(entering=True)
    tab.bar.cut_short = True
    with pytest.raises(InterruptedError):
        tab.run({"a": "1"})
    tab.bar.cut_short = False
    assert tab.run({"a": "2"}) is None  # sent with what had been written
    tab.goes_to()
    assert tab.run({"a": "3"}) is None  # sent with what stood there before
