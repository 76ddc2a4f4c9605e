"""The network of a playground: every unit as a small picture of what it computes, every weight as an edge. Knows arrays, not models."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from pages.figures.figure import Figure, Floats, Trace, figure, scatter
from pages.figures.palette import BLUE, FAULT, GREY, ORANGE, translucent
from pages.figures.pictures import Pixels, png

TILE = 0.78  # height of a unit's picture, of the distance between two units
TILE_WIDTH = 0.5  # most of a column
BINS = 4  # of edge widths, each for both signs
ENLARGEMENT = 3  # of a tile, so that a browser that smooths it leaves its pixels
HALF_LEVELS = 120
RIM = 2 * HALF_LEVELS + 1  # palette index of a tile's rim
ON_THE_WAY = 0.34  # where on an edge its handle sits: the 13s + 7r of up to eight units a side rarely meet


class Edge(NamedTuple):
    """One weight: from unit `source` of the layer below `layer` to its unit `unit`."""

    layer: int
    unit: int
    source: int
    weight: float


def playground_network(
    fields: Sequence[Floats], weights: Sequence[tuple[Floats, Floats]], inputs: Sequence[str], shown: tuple[int, int] | None = None
) -> Figure:
    """Columns of units from the inputs to the outputs; orange weights are positive, blue ones negative, the wider the larger.

    Args:
        fields: a layer's outputs over the plane, (units, side, side) from the lowest y, inputs first; each is shaded by its own largest.
        weights: (weight (n_out, n_in), bias (n_out,)) a layer.
        inputs: names of the inputs.
        shown: (layer, unit) of the unit that is framed, layer 0 being the inputs; None for the output.

    Every unit carries the customdata [layer, unit], every edge, on a handle near its sender, [layer, unit, source], layers from 1.
    """
    sizes = [len(layer) for layer in fields]
    places = [[(layer, _height(unit, size)) for unit in range(size)] for layer, size in enumerate(sizes)]
    edges = [
        Edge(layer, unit, source, float(value))
        for layer, (weight, _) in enumerate(weights, start=1)
        for (unit, source), value in np.ndenumerate(weight)
    ]
    chosen = shown if shown is not None else (len(sizes) - 1, sizes[-1] - 1)
    reach = max(sizes) / 2 + 0.1
    traces = [*_lines(edges, places), _handles(edges, places), _frame(places[chosen[0]][chosen[1]]), _units(places, weights, inputs)]
    axis = {"visible": False, "fixedrange": True}
    return figure(
        traces,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        showlegend=False,
        hovermode="closest",
        dragmode=False,
        xaxis=axis | {"range": [-0.72, len(sizes) - 0.55]},
        yaxis=axis | {"range": [-reach, reach + 0.1]},
        images=[tile for units, column in zip(fields, places, strict=True) for tile in _tiles(units, column)],
        annotations=[_name(text, *place) for text, place in zip(inputs, places[0], strict=True)],
    )


def _height(unit: int, size: int) -> float:
    return (size - 1) / 2 - unit


def _lines(edges: Sequence[Edge], places: Sequence[Sequence[tuple[float, float]]]) -> list[Trace]:
    """Two signs times `BINS` widths, always as many traces: an edge that changes moves between them."""
    largest = max((abs(edge.weight) for edge in edges if np.isfinite(edge.weight)), default=0.0) or 1.0
    segments: dict[tuple[bool, int], list[float]] = {(positive, size): [] for size in range(BINS) for positive in (False, True)}
    heights: dict[tuple[bool, int], list[float]] = {key: [] for key in segments}
    for edge in edges:
        share = min(abs(edge.weight) / largest, 1.0) if np.isfinite(edge.weight) else 1.0
        key = (edge.weight > 0, min(int(BINS * share), BINS - 1))
        (x0, y0), (x1, y1) = places[edge.layer - 1][edge.source], places[edge.layer][edge.unit]
        segments[key] += [x0, x1, math.nan]
        heights[key] += [y0, y1, math.nan]
    return [
        scatter(
            x=segments[key], y=heights[key], mode="lines", hoverinfo="skip",
            line={"color": translucent(ORANGE if key[0] else BLUE, 0.35 + 0.2 * key[1]), "width": 0.8 + 2 * key[1]},
        )
        for key in segments
    ]  # fmt: skip


def _handles(edges: Sequence[Edge], places: Sequence[Sequence[tuple[float, float]]]) -> Trace:
    """Places to point at, one an edge."""
    ends = [(places[edge.layer - 1][edge.source], places[edge.layer][edge.unit]) for edge in edges]
    return scatter(
        x=[x0 + ON_THE_WAY * (x1 - x0) for (x0, _), (x1, _) in ends],
        y=[y0 + ON_THE_WAY * (y1 - y0) for (_, y0), (_, y1) in ends],
        customdata=[[edge.layer, edge.unit, edge.source] for edge in edges],
        hovertext=[f"weight {edge.weight:.3g}; click to set it" for edge in edges],
        hoverinfo="text", mode="markers", marker={"size": 9, "color": GREY, "opacity": 0},
    )  # fmt: skip


def _units(places: Sequence[Sequence[tuple[float, float]]], weights: Sequence[tuple[Floats, Floats]], inputs: Sequence[str]) -> Trace:
    """Places to point at, one a unit."""
    drawn = [(layer, unit, place) for layer, units in enumerate(places) for unit, place in enumerate(units)]

    def words(layer: int, unit: int) -> str:
        if layer == 0:
            return f"input {inputs[unit]}"
        role = "output" if layer == len(weights) else f"hidden layer {layer}, unit"
        return f"{role} {unit + 1}, bias {weights[layer - 1][1][unit]:.3g}"

    return scatter(
        x=[x for _, _, (x, _) in drawn], y=[y for _, _, (_, y) in drawn],
        customdata=[[layer, unit] for layer, unit, _ in drawn], hovertext=[words(layer, unit) for layer, unit, _ in drawn],
        hoverinfo="text", mode="markers", marker={"size": 26, "color": GREY, "opacity": 0, "symbol": "square"},
    )  # fmt: skip


def _frame(place: tuple[float, float]) -> Trace:
    marker = {"size": 9, "color": FAULT, "symbol": "triangle-up"}
    return scatter(x=[place[0]], y=[place[1] - 0.48], mode="markers", marker=marker, hoverinfo="skip")


def _tiles(units: Floats, places: Sequence[tuple[float, float]]) -> Iterator[dict[str, Any]]:
    """The pictures of a layer's units (units, side, side), each shaded by its own largest value."""
    largest = np.abs(np.where(np.isfinite(units), units, 0.0)).max(axis=(1, 2), initial=0.0, keepdims=True)
    share = np.nan_to_num(units / np.where(largest > 0, largest, 1.0), nan=0.0, posinf=1.0, neginf=-1.0)
    levels = np.round(HALF_LEVELS * (1 + np.clip(share, -1, 1))).astype(np.uint8)[:, ::-1]
    pixels = levels.repeat(ENLARGEMENT, axis=1).repeat(ENLARGEMENT, axis=2)
    pixels[:, [0, -1], :] = pixels[:, :, [0, -1]] = RIM
    for picture, (x, y) in zip(pixels, places, strict=True):
        yield {
            "source": png(picture, tile_colors()), "xref": "x", "yref": "y", "x": x, "y": y, "xanchor": "center",
            "yanchor": "middle", "sizex": TILE_WIDTH, "sizey": TILE, "sizing": "contain", "layer": "above",
        }  # fmt: skip


@functools.cache
def tile_colors() -> Pixels:
    """(`RIM` + 1, 4): blue below 0, near-white at 0, orange above, grey the rim; opaque, since edges end below a tile."""
    share = np.abs(np.arange(-HALF_LEVELS, HALF_LEVELS + 1))[:, None] / HALF_LEVELS
    ends = np.array([_rgb(BLUE)] * HALF_LEVELS + [_rgb(ORANGE)] * (HALF_LEVELS + 1))
    colors = np.full((RIM + 1, 4), 255, dtype=np.uint8)
    colors[RIM, :3] = _rgb(GREY)
    colors[:RIM, :3] = np.round(share * ends + (1 - share) * np.array([0xF4, 0xF6, 0xFA]))
    return colors


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _name(text: str, x: float, y: float) -> dict[str, Any]:
    return {"text": text, "x": x - 0.3, "y": y, "xanchor": "right", "showarrow": False}
