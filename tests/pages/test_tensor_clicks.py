"""A click on the shape of a tensor that has changed since it was drawn does nothing; on one that has not, it resizes."""

from __future__ import annotations

from typing import Any, cast

import pytest

from pages.ui.link import LinkState
from pages.ui.tensors.input import _change_axes, _change_size
from pages.ui.widget_values import WidgetValues

SIZES = cast(WidgetValues, {"axes": 1, "Matrices": 2, "Rows": 2, "Columns": 2})


@pytest.mark.parametrize("text", ["", "1 2 x", "1 2 3"])
def test_a_click_on_a_shape_of_a_moment_ago_changes_nothing(text: str) -> None:
    link = cast(LinkState, {"a": text})
    _change_size(link, "a", 2, SIZES)
    _change_axes(link, "a", SIZES)
    assert cast(dict[str, Any], link) == {"a": text}


def test_a_click_on_the_shape_as_it_is_resizes() -> None:
    link = cast(LinkState, {"a": "1 2 3"})
    _change_size(link, "a", 0, SIZES)
    assert link["a"] == "1 2"
