"""Every figure is a plain dict, made by `figure` from traces and a layout.

Plotly's own objects check every property and copy every part, twice until it is sent: a third of the time of a tick, ten times as long as
all else takes. The tests make that check, once and for all, of each figure: `go.Figure(fig)` refuses what plotly does not know.
"""

import html
import re
import textwrap
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEGEND = {"orientation": "h", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom"}
WIDE, CLOSING = "\u2e80-\u9fff\uff00-\uffef", "，。：；？！、）》"  # characters of Chinese and Japanese; those that begin no line
LEGEND_FONT_PX, LEGEND_ROW_PX, LEGEND_FRAME_PX = 12, 19, 10  # plotly's own measures for a text of this size

Trace = dict[str, Any]  # its "type" and its properties, as plotly's reference names them


class Figure(TypedDict):
    """What plotly.js draws."""

    data: list[Trace]
    layout: dict[str, Any]


def figure(traces: Iterable[Trace] = (), **layout: Any) -> Figure:
    """A figure of these traces; `layout` wins over the layout that all figures share.

    The plot area stays transparent and neither paper nor font color is set: the page's theme gives both.
    """
    shared = {
        "margin": {"l": 56, "r": 16, "t": 40, "b": 48},
        "plot_bgcolor": "rgba(0,0,0,0)",
        "legend": LEGEND,
        "hovermode": "x unified",
        "uirevision": "keep",  # zoom and hidden traces stay when the data change
        "template": {},
    }
    return {"data": list(traces), "layout": shared | layout}


def legend_below(height: int) -> dict[str, Any]:
    """A legend at the lower edge of the figure, at most so many pixels high; what finds no room is scrolled."""
    place = {"xref": "container", "yref": "container", "x": 0, "y": 0, "yanchor": "bottom"}
    order = {"traceorder": "normal", "tracegroupgap": 0}  # filled areas would turn it round, and groups stand apart
    return LEGEND | place | order | {"maxheight": height, "font": {"size": LEGEND_FONT_PX}}


def diagram(traces: Iterable[Trace] = (), **layout: Any) -> Figure:
    """A figure that fills its place, without legend and zoom."""
    shared = {"margin": dict.fromkeys("lrtb", 4), "showlegend": False, "hovermode": "closest", "dragmode": False}
    return figure(traces, **shared | layout)


def _trace(kind: str, **properties: Any) -> Trace:
    """A trace; a property that is None is left to plotly."""
    return {"type": kind} | {name: value for name, value in properties.items() if value is not None}


scatter = partial(_trace, "scatter")
bar = partial(_trace, "bar")
contour = partial(_trace, "contour")
heatmap = partial(_trace, "heatmap")
image = partial(_trace, "image")


def polyline(x: Any, y: Any, line: Mapping[str, Any], hover: str | None = None, **properties: Any) -> Trace:
    """A line through points; `hover` is plotly's hovertemplate, None for a line that says nothing."""
    return scatter(**{"x": x, "y": y, "mode": "lines", "line": line} | _told(hover) | properties)


def markers(x: Any, y: Any, marker: Mapping[str, Any], hover: str | None = None, **properties: Any) -> Trace:
    """Points, each with its marker; `hover` as of `polyline`."""
    return scatter(**{"x": x, "y": y, "mode": "markers", "marker": marker} | _told(hover) | properties)


def captions(x: Any, y: Any, text: Sequence[str], size: int, position: str | None = None) -> Trace:
    """Texts in the page's own color, at places."""
    return scatter(x=x, y=y, mode="text", text=text, textfont={"size": size}, textposition=position, hoverinfo="skip")


def _told(hover: str | None) -> dict[str, str]:
    return {"hoverinfo": "skip"} if hover is None else {"hovertemplate": hover}


def filled(x: npt.NDArray[Any], edge: npt.NDArray[Any], other: npt.NDArray[Any], **properties: Any) -> Trace:
    """The area between two curves over `x` (n,), as an outline there and back."""
    return polyline(np.concatenate([x, x[::-1]]), np.concatenate([edge, other[::-1]]), fill="toself", **properties)


def legend_entry(name: str, **style: Any) -> Trace:
    """An entry of the legend alone."""
    return scatter(x=[None], y=[None], name=name, **{"mode": "lines", "hoverinfo": "skip"} | style)


def wrapped(text: str, columns: int) -> str:
    """A text over several lines where it is long, as plotly breaks lines; a `<` in it stays one.

    Args:
        columns: the most Latin letters that a line has room for.
    """
    lines = textwrap.wrap(text, columns) if letters(text) == len(text) else _broken(text, columns)
    return "<br>".join(html.escape(line, quote=False) for line in lines)


def letters(text: str) -> int:
    """As many Latin letters as a text is wide: a Chinese character takes the room of two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _broken(text: str, columns: int) -> list[str]:
    """The lines of a text that may end behind any Chinese character, but within no number, no Latin word and no word in brackets."""
    lines = [""]
    for piece in re.findall(rf"（[^\s（）]{{1,3}}）[{CLOSING}]*\s*|[（《]*(?:[^\s{WIDE}]{{1,{columns}}}|\S)[{CLOSING}]*\s*", text):
        if lines[-1] and letters(lines[-1] + piece.rstrip()) > columns:
            lines.append("")
        lines[-1] += piece
    return [line.strip() for line in lines]
