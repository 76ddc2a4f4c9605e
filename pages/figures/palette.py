"""Colors by meaning.

The hues are those of Okabe and Ito (2008), told apart by color-blind readers, in the shades that keep contrast on white and on near-black.
"""

from __future__ import annotations

from plotly.colors import get_colorscale

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

SEQUENTIAL = get_colorscale("Viridis")  # magnitudes
DIVERGING = get_colorscale("RdBu_r")  # signed values, centered on 0; plotly.js does not know it by this name


def translucent(color: str, opacity: float) -> str:
    """`#RRGGBB` and an opacity from 0 to 1 -> `rgba(...)`."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def series_style(index: int) -> dict[str, str]:
    """Color and dash of the `index`-th series of a figure; hues first, then dashes, so that no two look alike."""
    return {"color": SERIES[index % len(SERIES)], "dash": DASHES[index // len(SERIES) % len(DASHES)]}
