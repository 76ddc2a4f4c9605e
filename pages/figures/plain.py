"""Figures that are drawn several times a second, made without plotly's objects, which check every property, ten times as long as all else
takes, and copy every part, twice until it is sent. `go.Figure` of such a figure has them.

The tests make the same check, once and for all, of each of these figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Trace = dict[str, Any]  # its "type" and its properties, as plotly's reference names them
Plain = dict[str, Any]  # {"data": […], "layout": {…}}


def scatter(**properties: Any) -> Trace:
    return {"type": "scatter", **properties}


def bar(**properties: Any) -> Trace:
    return {"type": "bar", **properties}


def contour(**properties: Any) -> Trace:
    return {"type": "contour", **properties}


def heatmap(**properties: Any) -> Trace:
    return {"type": "heatmap", **properties}


def image(**properties: Any) -> Trace:
    return {"type": "image", **properties}


def plain_figure(traces: Iterable[Trace], layout: Mapping[str, Any]) -> Plain:
    """A figure without a template. A property that plotly does not know is not noticed here, but in the browser, where it does nothing."""
    return {"data": list(traces), "layout": {**layout, "template": {}}}
