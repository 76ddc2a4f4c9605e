"""What a classifier says of single images and of all: images with its predictions, probabilities, the confusion matrix."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mlp_core.words import counted, percent
from pages.figures.axes import axis, hidden_axis
from pages.figures.figure import Figure, Floats, Trace, bar, captions, diagram, figure, heatmap, letters, markers, polyline, wrapped
from pages.figures.palette import FAULT, GREY, HEALTHY, translucent
from pages.figures.pictures import CLEAR, grey_colors, grey_indices, picture, picture_axis, tile, tile_corners
from pages.language import _

RIGHT, WRONG = "✓", "✗"
TILE_GAP = (16, 5)  # image pixels below each picture, for two lines of words, and beside it
LINE = 7  # image pixels below for each line more, as high as on a phone
ROW_PX = 116  # height of a row of pictures on the screen, with two lines of words
NAME_COLUMNS = 13  # letters of a line there
SMALL_PX = 11  # of the names beside a matrix, where they are long
BAR_PX = 24
LIKELIEST = 3  # classes that a hover names
MATRIX_PX = 460  # height of the confusion matrix
STRONGEST = 0.8  # opacity of its largest value; below 1, so that words of the page's own color stay readable on it
SCALE_STEPS = 32

Labels = npt.NDArray[np.integer] | Sequence[int]
Array = npt.NDArray[Any]
Counts = npt.NDArray[np.integer]
Words = npt.NDArray[np.str_]


def prediction_grid(
    images: npt.NDArray[np.uint8],
    true: Labels,
    predicted: Labels,
    class_names: Sequence[str],
    *,
    probabilities: Array | None = None,
    indices: Sequence[int] = (),
    columns: int = 5,
) -> Figure:
    """Test images with what the network takes them for: framed green and ✓, or vermilion and ✗ with the true label below.

    Args:
        images: (n, h, w).
        true, predicted: (n,) class indices.
        probabilities: (n, classes); named on hover.
        indices: (n,) which images they are: what a click tells, its customdata.
        columns: pictures a row.
    """
    n, height, width = images.shape
    right = np.asarray(true) == np.asarray(predicted)
    names = [(class_names[is_], class_names[said]) for is_, said in zip(true, predicted, strict=True)]
    texts = [_caption(is_, said) for is_, said in names]
    (usual, beside), lines = TILE_GAP, max((text.count("<br>") + 1 for text in texts), default=1)
    below = usual + LINE * max(0, lines - 2)
    rows, shown = math.ceil(n / columns), min(n, columns)
    left, top = tile_corners(n, (height, width), columns, (below, beside))
    hover = [_("true: {label}<br>predicted: {prediction}", label=is_, prediction=said) for is_, said in names]
    if probabilities is not None:
        for i, row in enumerate(np.asarray(probabilities, dtype=np.float64)):
            likeliest = np.argsort(-row, kind="stable")[:LIKELIEST]
            hover[i] += "".join(f"<br>{class_names[c]} {_(percent(row[c]))}" for c in likeliest)
    unseen = {"size": 44, "symbol": "square", "opacity": 0}  # to hover over and to click
    told: dict[str, Any] = {"hovertext": hover, "hoverinfo": "text", "customdata": list(indices)}
    traces = [
        picture(tile(grey_indices(images), columns, (below, beside), CLEAR), grey_colors()),
        _frames(left[right], top[right], height, width, HEALTHY),
        _frames(left[~right], top[~right], height, width, FAULT),
        captions(left + width / 2, top + height + 1.5, texts, 11, "bottom center"),
        markers(left + width / 2, top + height / 2, unseen, **told),
    ]
    return diagram(
        traces,
        height=round(rows * ROW_PX * (height + below) / (height + usual)) + 8,
        xaxis=picture_axis(range=[-2, max(shown, columns) * (width + beside) - beside + 1]),
        yaxis=picture_axis(range=[rows * (height + below), -2], scaleanchor="x", constraintoward="top"),
    )


def _caption(label: str, said: str) -> str:
    if label == said:
        return wrapped(f"{RIGHT} {said}", NAME_COLUMNS)
    return "<br>".join(wrapped(text, NAME_COLUMNS) for text in (f"{WRONG} {said}", _("is {label}", label=label)))


def _frames(left: Array, top: Array, height: int, width: int, color: str) -> Trace:
    """One trace of rectangles just outside the pictures whose first pixels are at (left, top)."""
    x = left[:, None] + np.array([-1.0, width, width, -1.0, -1.0, np.nan])  # pixel i spans i - 0.5 to i + 0.5
    y = top[:, None] + np.array([-1.0, -1.0, height, height, -1.0, np.nan])
    return polyline(x.ravel().astype(np.float32), y.ravel().astype(np.float32), {"color": color, "width": 2})


def probability_bars(probabilities: Array, class_names: Sequence[str], true: int | None = None, predicted: int | None = None) -> Figure:
    """How sure the network is of each class, in percent.

    Args:
        probabilities: (classes,).
        true: marked ✓ in its name; None where it is not known.
        predicted: its bar is green if it is the true class, vermilion if not; None takes the likeliest.
    """
    percents = 100 * np.asarray(probabilities, dtype=np.float64)
    said = int(percents.argmax()) if predicted is None else predicted
    colors = [GREY] * len(percents)
    colors[said] = HEALTHY if true is None or said == true else FAULT
    names = [f"{RIGHT} {name}" if i == true else name for i, name in enumerate(class_names)]
    bars = bar(
        x=percents, y=names, orientation="h", marker={"color": colors}, text=[f"{value:.1f}" for value in percents],
        textposition="outside", cliponaxis=False, hovertemplate=_("%{y}: %{x:.2f} %") + "<extra></extra>",
    )  # fmt: skip
    return figure(
        [bars],
        height=BAR_PX * len(percents) + 56,
        margin={"l": 8, "r": 32, "t": 8, "b": 44},
        hovermode="closest",
        bargap=0.25,
        xaxis=axis(_("probability (%)"), range=[0, 100], fixedrange=True),
        yaxis={"autorange": "reversed", "automargin": True, "fixedrange": True},
    )


def confusion_matrix(counts: Counts, class_names: Sequence[str]) -> Figure:
    """Counts of true class (row) against predicted class (column).

    Hits (the diagonal) and mistakes have a color and a scale each, both from 0 and both shown, since on one scale the hits would
    drown the mistakes. A color is the share of the true class in percent, the number written is the count. Every cell carries
    (true, predicted) as its customdata.

    Args:
        counts: (k, k) images.
    """
    counts = np.asarray(counts)
    totals = counts.sum(axis=1, keepdims=True)
    percents = np.divide(100.0 * counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
    diagonal = np.eye(len(counts), dtype=bool)
    mistakes, hits = np.where(diagonal, np.nan, percents), np.where(diagonal, percents, np.nan)
    ceilings = _ceiling(mistakes), 100.0
    hover = _cell_hover(counts, percents, class_names)
    rows, columns = np.indices(counts.shape).reshape(2, -1)
    texts = [str(count) if count else "·" for count in counts.ravel()]
    traces = [
        _cells(mistakes, class_names, FAULT, ceilings[0], hover),
        _cells(hits, class_names, HEALTHY, ceilings[1], hover),
        captions([class_names[j] for j in columns], [class_names[i] for i in rows], texts, 11),
        _scale(FAULT, ceilings[0], "2"),
        _scale(HEALTHY, ceilings[1], "3"),
    ]
    small = {"tickfont": {"size": SMALL_PX}} if max(map(letters, class_names)) > NAME_COLUMNS else {}
    return figure(
        traces,
        height=MATRIX_PX,
        margin={"l": 8, "r": 8, "t": 56, "b": 8},
        hovermode="closest",
        showlegend=False,
        xaxis=axis(_("predicted class"), tickangle=-45, automargin=True, fixedrange=True, showgrid=False, **small),
        yaxis=axis(_("true class"), autorange="reversed", automargin=True, fixedrange=True, domain=[0, 0.93], **small)
        | {"showgrid": False},
        **_scale_axes("2", [0.0, 0.46], _("mistakes (%)")),
        **_scale_axes("3", [0.54, 1.0], _("hits (%)")),
    )


def _ceiling(values: Floats) -> float:
    """The largest value, or 1 where there is none above 0."""
    finite = values[np.isfinite(values)]
    return float(finite.max()) if finite.size and finite.max() > 0 else 1.0


def _fading(color: str) -> list[list[Any]]:
    return [[0, translucent(color, 0)], [1, translucent(color, STRONGEST)]]


def _cells(values: Floats, names: Sequence[str], color: str, ceiling: float, hover: Words) -> Trace:
    k = len(values)
    pairs = np.stack(np.meshgrid(np.arange(k), np.arange(k), indexing="ij"), axis=-1)  # (k, k, 2): true, predicted
    return heatmap(
        z=values, x=list(names), y=list(names), zmin=0, zmax=ceiling, colorscale=_fading(color), showscale=False, xgap=2, ygap=2,
        hovertext=np.where(np.isfinite(values), hover, ""), hoverinfo="text", hoverongaps=False, customdata=pairs,
    )  # fmt: skip


def _cell_hover(counts: Counts, percents: Floats, names: Sequence[str]) -> Words:
    def words(i: int, j: int) -> str:
        said = _("true {label}, taken for what it is", label=names[i])
        if i != j:
            said = _("true {label}, taken for {prediction}", label=names[i], prediction=names[j])
        parts = [said, _(counted(int(counts[i, j]), "{n} image", "{n} images"))]
        if np.isfinite(percents[i, j]):
            parts.append(_("{share} of this class", share=percent(percents[i, j] / 100)))
        return "<br>".join(parts)

    return np.array([[words(i, j) for j in range(len(names))] for i in range(len(names))])


def _scale(color: str, ceiling: float, axis: str) -> Trace:
    """A color bar; plotly's own would leave out the opacity."""
    z = np.linspace(0, ceiling, SCALE_STEPS)[None, :]
    return heatmap(
        z=z, x=z[0], y=[0], zmin=0, zmax=ceiling, colorscale=_fading(color), showscale=False, hoverinfo="skip",
        xaxis=f"x{axis}", yaxis=f"y{axis}",
    )  # fmt: skip


def _scale_axes(axis: str, domain: list[float], title: str) -> dict[str, Any]:
    words = {"title": {"text": title, "standoff": 4}, "side": "top", "nticks": 5}
    x = words | {"domain": domain, "anchor": f"y{axis}", "fixedrange": True, "showgrid": False}
    return {f"xaxis{axis}": x, f"yaxis{axis}": hidden_axis(domain=[0.97, 1.0], anchor=f"x{axis}")}
