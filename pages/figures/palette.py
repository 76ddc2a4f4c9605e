"""Colors by meaning.

The named hues are those of Okabe and Ito (2008), told apart by color-blind readers. Those of series keep a contrast of 3:1 on white and on
near-black (WCAG 2.1, 1.4.11); the five were sought among all such colors for the largest least distance in OKLab, also as color-blind
readers see them (Machado et al. 2009).
"""

import numpy as np
from plotly.colors import get_colorscale

BLUE = "#0072B2"
ORANGE = "#E69F00"
GREEN = "#009E73"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
SKY = "#56B4E9"
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
OUTPUT = GREY  # the output layer has no activation, and so stands apart from the others

SERIES = ("#1E96FF", "#C38700", "#1E7878", "#C30F0F", "#873CC3")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")

SEQUENTIAL = get_colorscale("Viridis")  # magnitudes
DIVERGING = get_colorscale("RdBu_r")  # signed values, centered on 0; plotly.js does not know it by this name

_DEPTH = (SKY, PURPLE, VERMILION)  # equally light, so that each shows on white and on near-black; cold to warm for the color-blind


def translucent(color: str, opacity: float) -> str:
    """`#RRGGBB` and an opacity from 0 to 1 -> `rgba(...)`."""
    red, green, blue = rgb(color)
    return f"rgba({red},{green},{blue},{opacity:g})"


def rgb(color: str) -> tuple[int, int, int]:
    """`#RRGGBB` -> red, green, blue from 0 to 255."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def series_style(index: int) -> dict[str, str]:
    """Color and dash of the `index`-th series of a figure; hues first, then dashes, so that no two look alike."""
    return {"color": SERIES[index % len(SERIES)], "dash": DASHES[index // len(SERIES) % len(DASHES)]}


def depth_colors(count: int) -> list[str]:
    """One color `#rrggbb` a layer, of the first hidden layer to the last, so that it looks the same in every picture of a network."""
    stops = np.array([rgb(stop) for stop in _DEPTH], dtype=np.float64)
    places = np.linspace(0, len(stops) - 1, count) if count > 1 else np.zeros(count)
    mixed = np.column_stack([np.interp(places, range(len(stops)), channel) for channel in stops.T])
    return ["#" + "".join(f"{round(value):02x}" for value in color) for color in mixed]
