"""Colors by meaning, and the layout every figure starts from.

The hues are those of Okabe and Ito (2008), told apart by color-blind readers, in the shades that keep contrast on white and on near-black.
The plot area stays transparent and neither paper nor font color is set: the page's theme gives both.
"""

from __future__ import annotations

from typing import Any

BLUE = "#0072B2"
ORANGE = "#E69F00"
GREEN = "#009E73"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
SKY = "#56B4E9"
YELLOW = "#F0E442"
GREY = "#8A8F98"

TRAIN = SKY
TEST = ORANGE
THEORY = GREY
MEASURED = SKY
GRADIENT = VERMILION
VALUE = SKY
HEALTHY = GREEN
WARNING = ORANGE
FAULT = VERMILION

SERIES = (SKY, ORANGE, GREEN, VERMILION, PURPLE, BLUE, YELLOW, GREY)
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")

SEQUENTIAL = "Viridis"  # magnitudes
DIVERGING = "RdBu_r"  # signed values, centered on 0


def translucent(color: str, opacity: float) -> str:
    """`#RRGGBB` and an opacity from 0 to 1 -> `rgba(...)`."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def series_style(index: int) -> dict[str, str]:
    """Color and dash of the `index`-th series of a figure; hues first, then dashes, so that no two look alike."""
    return {"color": SERIES[index % len(SERIES)], "dash": DASHES[index // len(SERIES) % len(DASHES)]}


def base_layout(**changes: Any) -> dict[str, Any]:
    """Layout that every figure shares; `changes` win."""
    layout: dict[str, Any] = {
        "margin": {"l": 56, "r": 16, "t": 40, "b": 48},
        "plot_bgcolor": "rgba(0,0,0,0)",
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom"},
        "hovermode": "x unified",
        "uirevision": "keep",
    }
    return layout | changes
