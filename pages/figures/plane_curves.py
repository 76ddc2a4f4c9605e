"""Loss and accuracy of a run on points of the plane, or of several seeds of it, epoch by epoch. Knows records, not runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from pages.figures.axes import axis
from pages.figures.curve_series import HIGHEST, CurveSeries, Quantity, spread
from pages.figures.decimation import Floats, decimation_indices
from pages.figures.figure import LEGEND, Figure, Trace, figure, scatter
from pages.figures.marks import Marks
from pages.figures.palette import TEST, TRAIN, translucent

CURVE_POINTS = 250
SHORTEST = 10  # epochs; the frame grows from there by doubling
MOST_MARKED = 4  # changes of the learning rate that get words: the figures are small
LOSS = Quantity(1, "train_loss", "test_loss", 1.0, -HIGHEST, ".4f")
ACCURACY = Quantity(2, "train_accuracy", "test_accuracy", 100.0, -HIGHEST, ".1f")


def epoch_curves(run: CurveSeries, quantity: Quantity, title: str, total_epochs: int, *, cursor: int | None = None) -> Figure:
    """`quantity` (`LOSS` or `ACCURACY`) on training and test points against epochs; the frame grows by doubling, up to `total_epochs`.

    Of several seeds it shows the mean and the band from the lowest to the highest. Changes of the learning rate are marked.

    Args:
        title: of the vertical axis.
        cursor: step that the rest of the page shows, if it is not the newest.
    """
    traces: list[Trace] = []
    for name, color, field in (("train", TRAIN, quantity.train), ("test", TEST, quantity.test)):
        if run.members:
            traces += _band(*run.epoch_band(quantity, field), name, color, quantity)
        else:
            numbers = np.array([record.epoch for record in run.epochs])
            values = run.epoch_values(quantity, field)
            kept = decimation_indices(values, CURVE_POINTS)
            traces.append(_line(numbers[kept], values[kept], name, color, quantity))
    marks = Marks()
    for number, change in enumerate(run.lr_changes):
        marks.event(change.step / run.steps_per_epoch, f"lr {change.lr:g}" if number < MOST_MARKED else "", row=number)
    if cursor is not None:
        marks.event(cursor / run.steps_per_epoch, "", strong=True)
    share = quantity is ACCURACY
    epochs = max([len(run.epochs), *(len(member.epochs) for member in run.members)])
    return figure(
        traces,
        xaxis=axis("epoch", range=[0, min(_frame(epochs), max(total_epochs, 1))], zeroline=False),
        yaxis=axis(title) | ({"range": [0, 102]} if share else {"rangemode": "tozero"}),
        legend=LEGEND | {"traceorder": "normal"},  # filled areas would turn it round
        **marks.layout,
    )


def _frame(epochs: int) -> int:
    end = SHORTEST
    while end < epochs:
        end *= 2
    return end


def _line(epochs: npt.NDArray[Any], values: Floats, name: str, color: str, quantity: Quantity) -> Trace:
    written = f"%{{y:{quantity.digits}}}" + (" %" if quantity is ACCURACY else "")
    return scatter(x=epochs, y=values, name=name, mode="lines", line={"color": color, "width": 2.5}, hovertemplate=written)


def _band(epochs: npt.NDArray[Any], rows: Floats, name: str, color: str, quantity: Quantity) -> Iterator[Trace]:
    """From the lowest to the highest seed as an area, plotly filling the second edge down to the first; and their mean."""
    low, mean, high = spread(rows)
    kept = decimation_indices(mean, CURVE_POINTS)
    for edge, fill in ((low, {}), (high, {"fill": "tonexty", "fillcolor": translucent(color, 0.22)})):
        yield scatter(x=epochs[kept], y=edge[kept], mode="lines", line={"width": 0}, hoverinfo="skip", showlegend=False, **fill)
    yield _line(epochs[kept], mean[kept], f"{name}, mean of {len(rows)} seeds", color, quantity)
