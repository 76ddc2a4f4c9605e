"""The sigmoid with its gradient, and a chain of such gradients multiplied. Knows arrays only."""

from __future__ import annotations

import numpy as np

from pages.figures.axes import Log10Axis, axis, spoken_size
from pages.figures.figure import Figure, Floats, figure, scatter
from pages.figures.marks import Marks
from pages.figures.palette import GRADIENT, GREY, THEORY, VALUE

MOST_NUMBERED = 20


def sigmoid_and_gradient(x: Floats, value: Floats, gradient: Floats, chosen: Floats, chosen_gradient: Floats) -> Figure:
    """σ and σ' on a grid (n,), and on the gradient the points chosen for layers 1 .. L, numbered."""
    numbers = [str(layer) for layer in range(1, len(chosen) + 1)]
    traces = [
        scatter(x=x, y=value, mode="lines", name="sigmoid σ(x)", line={"color": VALUE, "width": 2.5}, hovertemplate="%{y:.4f}"),
        scatter(x=x, y=gradient, mode="lines", name="gradient σ′(x)", line={"color": GRADIENT, "width": 2.5}, hovertemplate="%{y:.4f}"),
        scatter(
            x=chosen, y=chosen_gradient, mode="markers+text", text=numbers, textposition="top center", name="layers",
            marker={"color": GRADIENT, "size": 9, "line": {"color": GREY, "width": 1}}, hovertemplate="layer %{text}: σ′ = %{y:.4f}",
            cliponaxis=False,
        ),
    ]  # fmt: skip
    marks = Marks()
    marks.level(0.25, "largest gradient: 1/4")
    return figure(
        traces,
        xaxis=axis("x", zeroline=False, range=[float(x[0]), float(x[-1])]),
        yaxis=axis("value and gradient", range=[-0.03, 1.03]),
        hovermode="closest",
        **marks.layout,
    )


def gradient_chain(factors_log10: Floats, bound_log10: Floats) -> Figure:
    """The running product of the layers' gradients and its bound 0.25^l, from log10 of the factors (L,) and of the bound (L,)."""
    layers = np.arange(1, len(factors_log10) + 1)
    product = np.cumsum(factors_log10)
    scale = Log10Axis.around([product, bound_log10, [0.0]])
    words = [f"{spoken_size(p)} (this layer × {10**f:.3g})" for p, f in zip(product, factors_log10, strict=True)]
    traces = [
        scatter(
            x=layers, y=scale.place(product), mode="lines+markers", name="product of the gradients", line={"color": GRADIENT, "width": 2.5},
            marker={"size": 8}, customdata=words, hovertemplate="%{customdata}",
        ),
        scatter(
            x=layers, y=bound_log10, mode="lines", name="bound 0.25<sup>l</sup>", line={"color": THEORY, "width": 2, "dash": "dash"},
            customdata=[spoken_size(bound) for bound in bound_log10], hovertemplate="at most %{customdata}",
        ),
    ]  # fmt: skip
    xaxis = axis("layers l multiplied so far", dtick=1 if len(layers) <= MOST_NUMBERED else None, zeroline=False)
    return figure(traces, xaxis=xaxis, yaxis=scale.layout("σ′(x₁) ··· σ′(x<sub>l</sub>)"))
