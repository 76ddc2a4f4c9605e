"""What every figure must be, whatever it shows: valid JSON, light, transparent, in the page's own font color."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import plotly.graph_objects as go

from pages.figures.figure import Figure


def drawn(make: Callable[..., Figure]) -> Callable[..., go.Figure]:
    """A function that makes figures, as one that makes plotly's objects: each property of each figure is checked."""
    return lambda *args, **options: checked(make(*args, **options))


def checked(figure: Figure) -> go.Figure:
    """A figure as plotly's object: each of its properties is checked."""
    return go.Figure(figure).update_layout(template=None)


def sound(figure: go.Figure, most_bytes: int) -> dict[str, Any]:
    """Check a figure and return it as the browser gets it."""
    text = figure.to_json()
    spec: dict[str, Any] = json.loads(text, parse_constant=_refuse)
    assert len(text.encode()) <= most_bytes
    go.Figure(spec)  # plotly's own check of every property, which figures that are drawn often leave out
    assert spec["layout"].get("template") in (None, {})
    assert spec["layout"]["uirevision"]
    assert spec["layout"].get("paper_bgcolor", "rgba(0,0,0,0)") == "rgba(0,0,0,0)"
    assert spec["layout"]["plot_bgcolor"] == "rgba(0,0,0,0)"
    assert not [font for font in _fonts(spec) if "color" in font]
    return spec


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def _fonts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        for name, part in value.items():
            if name.endswith("font") and isinstance(part, dict):
                yield part
            yield from _fonts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _fonts(part)
