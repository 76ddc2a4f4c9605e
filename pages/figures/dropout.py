"""Dropout: a tensor and its mask, the network that is left, the mean of many masks, and copies that vote."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mlp_core.words import significant
from pages.figures.axes import axis, hidden_axis
from pages.figures.figure import Figure, Floats, Trace, bar, diagram, figure, filled, markers, polyline, wrapped
from pages.figures.marks import note
from pages.figures.palette import BLUE, GREEN, GREY, ORANGE, SKY, VERMILION, translucent
from pages.figures.series import POINT_LIMIT, segments
from pages.language import _

Mask = npt.NDArray[np.bool_]

CELL = 0.44  # half a cell's side
NAME_COLUMNS = 10  # letters of a line of a class's name


def masked_matrix(values: Floats, kept: Mask | None = None) -> Figure:
    """A matrix as cells with their numbers; what a mask dropped is crossed out in empty cells.

    Args:
        values: (rows, columns).
        kept: (rows, columns); None keeps all.
    """
    rows, columns = values.shape
    keeps = np.ones(values.shape, dtype=bool) if kept is None else kept
    shapes: list[dict[str, Any]] = []
    annotations = []
    for (row, column), value in np.ndenumerate(values):
        stays = bool(keeps[row, column])
        color = SKY if stays else GREY
        shapes.append(
            {"type": "rect", "x0": column - CELL, "x1": column + CELL, "y0": row - CELL, "y1": row + CELL, "layer": "below"}
            | {"line": {"color": color, "width": 1.5, "dash": "solid" if stays else "dot"}}
            | {"fillcolor": translucent(color, 0.25 if stays else 0.0)}
        )
        text = significant(value) if stays else f"<s>{significant(value)}</s>" if value else "0"
        annotations.append(note(text, column, row, size=13, opacity=1 if stays else 0.6))
    return diagram(
        shapes=shapes,
        annotations=annotations,
        xaxis=hidden_axis(range=[-0.6, columns - 0.4]),
        yaxis=hidden_axis(range=[rows - 0.4, -0.6]),
    )


def masked_network(inputs: int, kept: Mask, outputs: int) -> Figure:
    """One hidden layer under one mask: units that were dropped are crossed out and have no edges, neither in nor out.

    Args:
        inputs, outputs: units drawn beside the hidden layer.
        kept: (units,) of the hidden layer.
    """
    heights = [_heights(inputs), _heights(len(kept)), _heights(outputs)]
    alive = [np.ones(inputs, dtype=bool), kept, np.ones(outputs, dtype=bool)]
    traces: list[Trace] = []
    for layer in (0, 1):
        ends = [
            (left, right)
            for left, sends in zip(heights[layer], alive[layer], strict=True)
            for right, receives in zip(heights[layer + 1], alive[layer + 1], strict=True)
            if sends and receives
        ]
        x = np.tile([layer, layer + 1, np.nan], len(ends))
        y = segments([left for left, _right in ends], [right for _left, right in ends])
        traces.append(polyline(x, y, {"color": translucent(GREY, 0.55), "width": 1}))
    words = [
        [_("input {number}", number=number) for number in range(1, inputs + 1)],
        [
            _("hidden unit {number}", number=number) if stays else _("hidden unit {number}, dropped", number=number)
            for number, stays in enumerate(kept, start=1)
        ],
        [_("output {number}", number=number) for number in range(1, outputs + 1)],
    ]
    for layer, color in enumerate((GREY, SKY, ORANGE)):
        colors = [color if stays else GREY for stays in alive[layer]]
        symbols = ["circle" if stays else "circle-x-open" for stays in alive[layer]]
        marker = {"color": colors, "symbol": symbols, "size": 16, "opacity": 1, "line": {"width": 1.5, "color": colors}}
        traces.append(markers([layer] * len(colors), heights[layer], marker, hovertext=words[layer], hoverinfo="text"))
    return diagram(traces, xaxis=hidden_axis(range=[-0.3, 2.3]), yaxis=hidden_axis(range=[-0.65, 0.65]))


def _heights(units: int) -> list[float]:
    """From the top, a unit every eighth of the height."""
    return [(units - 1) / 16 - index / 8 for index in range(units)]


def mean_of_masks(ratios: Floats, p: float) -> Figure:
    """Means of h′ over the first 1, 2, … masks, each divided by its h, with 1 ± 2 standard errors: √(p / ((1 − p) n)).

    Args:
        ratios: (masks, units).
        p: below 1.
    """
    masks = len(ratios)
    counts = np.unique(np.geomspace(1, masks, min(masks, POINT_LIMIT // 4)).round().astype(int))
    error = 2 * np.sqrt(p / ((1 - p) * counts))
    thin = {"color": translucent(SKY, 0.6), "width": 1.2}
    traces = [
        filled(counts, 1 + error, 1 - error, line={"width": 0}, fillcolor=translucent(GREEN, 0.2), name=_("h ± 2 standard errors")),
        *(
            polyline(counts, values, thin, name=_("each unit"), legendgroup="units", showlegend=unit == 0)
            for unit, values in enumerate(ratios[counts - 1].T)
        ),
        polyline(counts, ratios[counts - 1].mean(axis=1), {"color": BLUE, "width": 3}, "%{y:.4f}", name=_("all units")),
    ]
    return figure(
        traces,
        xaxis=axis(_("masks n"), type="log", dtick=1, zeroline=False, range=[-0.05, float(np.log10(max(masks, 10))) + 0.02]),
        yaxis=axis(_("mean of h′, divided by h"), range=[0, 2.2], zeroline=False),
    )


def vote_strips(masked: Floats, off: Floats, classes: Sequence[str], label: int) -> Figure:
    """Probabilities that each masked copy gives each class, beside those without dropout.

    Args:
        masked: (copies, classes).
        off: (classes,).
        classes: their names.
        label: the true class.
    """
    copies, count = masked.shape
    jitter = np.tile(np.linspace(-0.3, 0.3, copies), (count, 1))  # by the copy's number: no chance in a picture
    votes = np.bincount(masked.argmax(axis=1), minlength=count) / copies
    positions = np.arange(count)
    copy, off_marker = {"color": translucent(SKY, 0.55), "size": 5}, {"color": VERMILION, "symbol": "diamond", "size": 11}
    traces = [
        bar(x=positions, y=votes, name=_("share of the votes"), marker={"color": translucent(GREY, 0.3)}, hovertemplate="%{y:.0%}"),
        markers((positions[:, None] + jitter).ravel(), masked.T.ravel(), copy, "%{y:.2f}", name=_("{copies} masked copies", copies=copies)),
        markers(positions, off, off_marker, "%{y:.3f}", name=_("dropout off")),
    ]
    names = [wrapped(_(name), NAME_COLUMNS) for name in classes]
    names[label] = f"<b>{names[label]}</b>"
    return figure(
        traces,
        xaxis={"tickvals": list(range(count)), "ticktext": names, "zeroline": False, "range": [-0.6, count - 0.4], "automargin": True},
        yaxis=axis(_("probability"), range=[0, 1.03], zeroline=False),
        hovermode="closest",
    )
