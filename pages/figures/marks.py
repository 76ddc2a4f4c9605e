"""Lines, bands and words laid over a plot: what is known beforehand and what happened."""

import math
from dataclasses import dataclass, field
from typing import Any

from pages.figures.figure import letters
from pages.figures.palette import FAULT, GREY, HEALTHY, translucent

SMALL = 11  # px; words inside a plot
LETTER = 1 / 75  # of the width of a curve in half a laptop's page, about 450 px


def note(text: str, x: float, y: float, *, size: float = SMALL, **where: Any) -> dict[str, Any]:
    """Words at a place, for a layout's annotations."""
    return {"text": text, "x": x, "y": y, "showarrow": False, "font": {"size": size}} | where


def vertical_line(x: float, color: str, *, width: float = 1, dash: str = "dot", **properties: Any) -> dict[str, Any]:
    """A line from the bottom of the plot to its top, for a layout's shapes."""
    line = {"color": color, "width": width, "dash": dash}
    return {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": x, "x1": x, "line": line} | properties


def arrow(tail: tuple[float, float], head: tuple[float, float], color: str, width: float) -> dict[str, Any]:
    """An arrow between two points of the plot, for a layout's annotations."""
    ends = {"x": head[0], "y": head[1], "ax": tail[0], "ay": tail[1], "xref": "x", "yref": "y", "axref": "x", "ayref": "y"}
    return ends | {"text": "", "showarrow": True, "arrowhead": 2, "arrowwidth": width, "arrowcolor": color}


@dataclass
class Marks:
    """Collects shapes and annotations for one pair of axes; `layout` hands them over.

    Args:
        log: whether the y axis is logarithmic (plotly places annotations there by log10, but shapes by value).
        left: where a logarithmic x axis begins; None on a linear one. What lies before it is drawn there.
        right: where the x axis ends; None where events are told apart by their rows.
    """

    log: bool = False
    left: float | None = None
    right: float | None = None
    shapes: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    _taken: list[tuple[int, float, float]] = field(default_factory=list, init=False)  # of the events' words: row, and from where to where

    @property
    def layout(self) -> dict[str, Any]:
        return {"shapes": self.shapes, "annotations": self.annotations}

    def level(self, y: float, text: str) -> None:
        """A value to compare with, across the whole plot; its words stand above it at the right."""
        line = {"color": translucent(GREY, 0.8), "width": 1, "dash": "dot"}
        self.shapes.append({"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": line, "layer": "below"})
        place = math.log10(y) if self.log else y
        self.annotations.append(note(text, 1, place, xref="paper", xanchor="right", yanchor="bottom", opacity=0.75))

    def band(self, low: float, high: float, text: str, *, x0: float, x1: float) -> None:
        """An interval of healthy or known values between two places; its words stand in the legend, where no curve crosses them."""
        edge = {"color": translucent(HEALTHY, 0.9), "width": 1}
        self.shapes.append(
            {"type": "rect", "xref": "x", "x0": self._shown(x0), "x1": x1, "y0": low, "y1": high, "line": edge, "layer": "below"}
            | {"fillcolor": translucent(HEALTHY, 0.2), "name": text, "showlegend": True}
        )

    def fault(self, x: float, text: str, *, row: int = 0, leftward: bool = False) -> None:
        """Where something broke: a vertical line from top to bottom, its words beside it, `row` lines from the top."""
        self.shapes.append(vertical_line(self._shown(x), FAULT, width=2))
        self.words(x, text, row=row, leftward=leftward)

    def words(self, x: float, text: str, *, row: int = 0, leftward: bool = False) -> None:
        """Words beside a place, `row` lines from the top of the plot."""
        where = _beside(leftward)
        self.annotations.append(note(text, self._place(x), 1, yref="paper", yanchor="top", yshift=-1.5 * SMALL * row, **where))

    def event(self, x: float, text: str, *, row: int = 0, strong: bool = False, color: str = GREY) -> None:
        """Where something was done: a thin line from top to bottom, its words beside its foot, `row` lines up or where there is room."""
        look: dict[str, Any] = {"width": 2, "dash": "solid"} if strong else {"dash": "dash"}
        self.shapes.append(vertical_line(self._shown(x), color if strong else translucent(color, 0.8), **look))
        if text:
            row, leftward = self._room(x, letters(text), row)
            where = _beside(leftward)
            self.annotations.append(note(text, self._place(x), 0, yref="paper", yanchor="bottom", yshift=1.5 * SMALL * row, **where))

    def _room(self, x: float, wide: int, row: int) -> tuple[int, bool]:
        """The first row in which words that are `wide` cover no others, and whether they stand left of their place: at the right end."""
        if self.right is None:
            return row, False
        first = 0.0 if self.left is None else math.log10(self.left)
        width = self._place(self.right) - first
        here, long = (self._place(x) - first) / width, (wide + 1) * LETTER
        leftward = here + long > 1
        low, high = (here - long, here) if leftward else (here, here + long)
        while any(taken == row and start < high and low < end for taken, start, end in self._taken):
            row += 1
        self._taken.append((row, low, high))
        return row, leftward

    def _shown(self, x: float) -> float:
        """Where a shape stands."""
        return x if self.left is None else max(x, self.left)

    def _place(self, x: float) -> float:
        """Where an annotation stands."""
        return x if self.left is None else math.log10(self._shown(x))


def _beside(leftward: bool) -> dict[str, Any]:
    """Where words stand that belong to a vertical line: a little to the left of it, or to the right."""
    return {"xanchor": "right", "xshift": -4} if leftward else {"xanchor": "left", "xshift": 4}
