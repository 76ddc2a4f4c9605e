"""The words around a drawn network: widths, activation, dropout, and the shape and size of each weight matrix. Knows no colors."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlp_core.spec import INPUTS, weight_count
from pages.figures.figure import Trace, scatter
from pages.figures.network_geometry import Geometry

# px from the top of a figure of this height; the units stand between UNITS_TOP and UNITS_BOTTOM
HEIGHT = 260
UNITS_TOP, UNITS_BOTTOM = 50.0, 200.0
FIRST_LINE, SECOND_LINE = 14, 31
NOTE, WIDTHS_BELOW_NOTE = 12, 30
DROPOUT_LINE = 217
WEIGHTS, WEIGHTS_BELOW_DROPOUT = 232, 240

ROOMY = 4  # up to this many layers there is room for whole words
LABEL_LENGTH = 12  # characters that fit a layer of a roomy network on a phone
PICTURE_X = -0.7  # the middle of the picture, in layers left of the input


@dataclass(frozen=True)
class Labels:
    """Yields traces of text alone, in the page's own color."""

    geometry: Geometry
    sizes: Sequence[int]
    activation: str
    dropout: Sequence[float]

    def __iter__(self) -> Iterator[Trace]:
        yield from self._roomy() if len(self.sizes) <= ROOMY else self._crowded()
        if self.geometry.gap_x is not None:
            text = f"⋯<br>{self.geometry.layers_left_out} more<br>layers"
            yield words([self.geometry.gap_x], (UNITS_TOP + UNITS_BOTTOM) / 2, [text], 12)

    def _roomy(self) -> Iterator[Trace]:
        """Two lines above each layer; below, its dropout and between layers the shape of the weight."""
        xs = [column.x for column in self.geometry.columns]
        hidden = range(1, len(self.sizes) - 1)
        yield words(xs, FIRST_LINE, self._widths, 14)
        yield words(xs, SECOND_LINE, ["inputs", *(shortened(self.activation) for _ in hidden), "outputs"], 12)
        dropped = [layer for layer in hidden if self.dropout and self.dropout[layer - 1] > 0]
        if dropped:
            yield words(dropped, DROPOUT_LINE, [f"dropout {self.dropout[layer - 1]:g}" for layer in dropped], 12)
        y = WEIGHTS_BELOW_DROPOUT if dropped else WEIGHTS
        yield self._weights(y, 12, [f"({n_in}, {n_out})<br>{n_in * n_out:,}" for n_in, n_out in self._shapes])
        if self.sizes[0] == INPUTS:
            yield words([PICTURE_X], FIRST_LINE, ["<b>28 × 28</b>"], 14)
            yield words([PICTURE_X], SECOND_LINE, ["pixels"], 12)
            yield words([PICTURE_X], y, ["shape of W<br>weights"], 12)

    def _crowded(self) -> Iterator[Trace]:
        """One note for all hidden layers, and narrow columns of figures."""
        xs = [column.x for column in self.geometry.columns]
        note = self._note
        if note:
            yield words([xs[-1] / 2 + (PICTURE_X / 2 if self.sizes[0] == INPUTS else 0)], NOTE, [note], 12)
        yield words(xs, WIDTHS_BELOW_NOTE, self._widths, 12)
        yield self._weights(WEIGHTS, 10, [f"{n_in}<br>×{n_out}<br>{abbreviated(n_in * n_out)}" for n_in, n_out in self._shapes])

    @property
    def _widths(self) -> list[str]:
        return [f"<b>{self.sizes[column.layer]}</b>" for column in self.geometry.columns]

    @property
    def _shapes(self) -> list[tuple[int, int]]:
        """(n_in, n_out) of every weight drawn, as X W is written."""
        return [(self.sizes[left.layer], self.sizes[right.layer]) for left, right in self.geometry.joints]

    @property
    def _note(self) -> str:
        parts = [shortened(self.activation)] if self.activation else []
        if any(self.dropout):
            low, high = min(self.dropout), max(self.dropout)
            parts.append(f"dropout {low:g}" if low == high else f"dropout {low:g} to {high:g}")
        return f"each hidden layer: {', '.join(parts)}" if parts else ""

    def _weights(self, y: float, size: int, texts: Sequence[str]) -> Trace:
        places = [(left.x + right.x) / 2 for left, right in self.geometry.joints]
        numbers = [right.layer for _, right in self.geometry.joints]
        hover = [
            f"W{number}: ({n_in}, {n_out}), {n_in * n_out:,} weights<br>b{number}: ({n_out},), {n_out:,} biases<br>"
            f"together {weight_count((n_in, n_out)):,} parameters"
            for number, (n_in, n_out) in zip(numbers, self._shapes, strict=True)
        ]
        return words(places, y, texts, size) | {"hovertext": hover, "hoverinfo": "text"}


def words(x: Sequence[float], y: float, texts: Sequence[str], size: int) -> Trace:
    """Texts at places along one line."""
    font = {"size": size}
    return scatter(x=list(x), y=[y] * len(x), text=list(texts), mode="text", textposition="middle center", textfont=font, hoverinfo="skip")


def shortened(label: str) -> str:
    """A label that fits above a layer, and is text: a visitor's own expression may hold a `<`."""
    return html.escape(label if len(label) <= LABEL_LENGTH else label[: LABEL_LENGTH - 1] + "…", quote=False)


def abbreviated(count: int) -> str:
    """A count in at most four characters: 640, 4.1k, 50k, 1.6M."""
    for unit, name in ((1_000_000, "M"), (1_000, "k")):
        if count >= 0.9995 * unit:
            return f"{count / unit:.1f}{name}" if count < 9.95 * unit else f"{count / unit:.0f}{name}"
    return str(count)
