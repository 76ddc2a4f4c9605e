"""One color a layer, so that it looks the same in every picture of a network. Knows only how many layers there are."""

from __future__ import annotations

import numpy as np

from pages.figures.palette import GREY, PURPLE, SKY, VERMILION

OUTPUT = GREY  # has no activation, and so stands apart
_STOPS = (SKY, PURPLE, VERMILION)  # equally light, so that each shows on white and on near-black; cold to warm for the color-blind


def depth_colors(count: int) -> list[str]:
    """`count` colors `#rrggbb`, of the first hidden layer to the last."""
    stops = np.array([[int(stop[i : i + 2], 16) for i in (1, 3, 5)] for stop in _STOPS], dtype=np.float64)
    places = np.linspace(0, len(stops) - 1, count) if count > 1 else np.zeros(count)
    mixed = np.column_stack([np.interp(places, range(len(stops)), channel) for channel in stops.T])
    return ["#" + "".join(f"{round(value):02x}" for value in color) for color in mixed]


def some_layers(count: int, most: int) -> list[int]:
    """Up to `most` of the layers 0 .. count - 1, evenly spread, the first and the last among them."""
    return sorted({round(place) for place in np.linspace(0, count - 1, min(count, most))}) if count else []
