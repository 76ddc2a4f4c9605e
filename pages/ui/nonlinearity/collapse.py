"""The section "Collapse": affine layers multiplied out to one, until their activation bends; on real images."""

from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import streamlit as st
import torch

from mlp_core.data import load_fashion_mnist
from mlp_core.labs.nonlinearity.collapse import (
    Affine,
    Bending,
    BestAffine,
    bending,
    collapsed,
    largest_difference,
    random_stack,
    rank,
    shapes,
    singular_values,
    stacked,
)
from mlp_core.spec import INPUTS, MAX_SEED, OUTPUTS, Bounds
from mlp_core.words import Message, count, fixed, percent, significant
from pages.figures import linear as figures
from pages.language import _
from pages.ui.computing import computed, part_of, shared
from pages.ui.link import LinkState, number, stop
from pages.ui.live_chart import live_chart
from pages.ui.measures import Computed, Values, once
from pages.ui.sections import beside

JOB = "collapse"
MOST_LAYERS, MOST_WIDTH = 10, 128
JUDGED = 1000  # images
SLOPES = tuple(round(1 - index / 20, 2) for index in range(21))
SHOWN_PIXELS = range(400, 406)  # in the middle of the image
DRAWN_SLOPES = SLOPES[::5]  # enough for a curve
CHART_HEIGHT = 238
FIELDS = (
    number("layers", 3, Bounds(1, MOST_LAYERS, whole=True)),
    number("width", 64, Bounds(1, MOST_WIDTH, whole=True)),
    number("narrow", 64, Bounds(1, MOST_WIDTH, whole=True)),
    stop("slope", 1.0, SLOPES),
    number("stack_seed", 0, Bounds(0, MAX_SEED, whole=True)),
)


class Found(NamedTuple):
    """A stack, and what it comes to: its layers, the slope of its hidden units, the best affine fit, and the curve over slopes."""

    layers: tuple[Affine, ...]
    slope: float
    best: BestAffine
    bent: Bending

    @property
    def here(self) -> int:
        """Where the slope stands on the curve."""
        return int(np.argmin(np.abs(self.bent.slopes - self.slope)))

    @property
    def rank(self) -> int:
        return rank(collapsed([layer.to(torch.float64) for layer in self.layers]).weight)


MEASURES = {
    "largest_difference": once(
        Message("Largest difference, float32"),
        Message(
            "Of an output between the stack and the one matrix that it multiplies out to, on {n} test images, in float32", n=count(JUDGED)
        ),
        "number",
        lambda found: largest_difference(found.layers, found.best.judged.float(), found.slope),
    ),
    "largest_difference_float64": once(
        Message("Largest difference, float64"),
        Message(
            "Of an output between the stack and the one matrix that it multiplies out to, on {n} test images, in float64", n=count(JUDGED)
        ),
        "number",
        lambda found: largest_difference(found.layers, found.best.judged, found.slope),
    ),
    "rank": once(Message("Rank of the product"), Message("Of all weight matrices multiplied out"), "count", lambda found: found.rank),
    "missed_fraction": once(
        Message("Missed by the best matrix"),
        Message("Of the variance of the stack's outputs on {n} test images, by the affine map that fits best", n=count(JUDGED)),
        "fraction", lambda found: found.bent.missed[found.here],
    ),
}  # fmt: skip


def _fit() -> Generator[float, None, BestAffine]:
    """Fits to all training images; the first test images judge."""
    data = load_fashion_mnist()
    return BestAffine.of(data.train_images.flatten(1), data.test_images[:JUDGED].flatten(1))


def _bending(sizes: tuple[int, ...], seed: int, slope: float) -> Generator[float, None, tuple[BestAffine, Bending]]:
    """The whole curve, and on it the slope chosen; yields how much is done."""
    best = yield from part_of(shared("collapse_fit", None, _fit), 0.0, 0.3)
    stack = random_stack(sizes, seed)
    curve = yield from part_of(shared("collapse_curve", (sizes, seed), lambda: bending(stack, best, DRAWN_SLOPES)), 0.3, 0.9)
    if slope in DRAWN_SLOPES:
        return best, curve
    here = yield from part_of(bending(stack, best, (slope,)), 0.9, 1.0)
    place = int(np.searchsorted(-curve.slopes, -slope))  # they descend
    names = ("slopes", "difference", "least_missed", "missed")
    return best, Bending(*(np.insert(getattr(curve, name), place, getattr(here, name)) for name in names))


def section(link: LinkState) -> None:
    """Multiply a stack out, then bend it."""
    st.markdown(_("Layers without a nonlinearity are **one** layer: $(XW_1 + b_1)W_2 + b_2 = X(W_1W_2) + (b_1W_2 + b_2)$."))
    controls, results = beside("collapse")
    with controls:
        _controls(link)
    with results:
        asked = _asked(link)
        computed(JOB, asked, partial(_bending, *asked), lambda found: _results(*asked, *found), _("Fitting the best matrix"))


def subject(values: Values) -> Computed:
    """The stack that the fields describe."""
    sizes, seed, slope = asked = _asked(values)

    def results(found: tuple[BestAffine, Bending]) -> dict[str, Found]:
        return {"": Found(random_stack(sizes, seed), slope, *found)}

    return Computed(MEASURES, results=results, job=(JOB, asked))


def _asked(values: Values) -> tuple[tuple[int, ...], int, float]:
    """Widths of the stack, its seed, and the slope of its hidden units."""
    layers = int(values["layers"])
    hidden = (int(values["width"]),) * (layers - 2) + (int(values["narrow"]),) if layers > 1 else ()
    return (INPUTS, *hidden, OUTPUTS), int(values["stack_seed"]), float(values["slope"])


def _controls(link: LinkState) -> None:
    st.slider(_("Affine layers k"), **link.value("layers"))
    if link["layers"] > 1:
        st.slider(_("Units of a hidden layer"), **link.value("width"))
        help = _("A narrow layer lowers the rank of the product.")
        st.slider(_("Units of the last hidden layer"), **link.value("narrow", help=help))
    help = _("1 is the identity, 0 is ReLU, leaky ReLU between them.")
    st.select_slider(_("Bend: slope of a hidden unit below 0"), **link.value("slope", help=help))
    st.number_input(_("Seed of the weights"), **link.value("stack_seed"))


def _results(sizes: tuple[int, ...], seed: int, slope: float, best: BestAffine, bent: Bending) -> None:
    found = Found(random_stack(sizes, seed), slope, best, bent)
    layers, here = found.layers, found.here
    exact = collapsed([layer.to(torch.float64) for layer in layers])
    st.caption(_("{shapes}; the largest difference is over {n} test images.", shapes=shapes(sizes), n=count(JUDGED)))
    with st.container(horizontal=True):
        float32, float64 = (largest_difference(layers, images, slope) for images in (best.judged.float(), best.judged))
        _tile(_("Largest difference, float32"), significant(float32, 2), _("Stack − one matrix."))
        rounding, parted = (
            _("The same in float64: what is left is rounding."),
            _("The same in float64: it is not rounding that parts them."),
        )
        _tile(_("… in float64"), significant(float64, 2), rounding if slope == 1.0 or len(layers) == 1 else parted)
        of_most = _("{part} of {whole}", part=found.rank, whole=min(INPUTS, OUTPUTS))
        _tile(_("Rank of the product"), of_most, _("At most the width of the narrowest layer."))
        missed, least = float(bent.missed[here]), float(bent.least_missed[here])
        help = _(
            "Of the variance of the outputs on {n} test images, by the affine map that was fitted to the {fitted} training images. On "
            "those it misses {least}, and no other matrix misses less.",
            n=count(JUDGED), fitted=count(len(best.fitted)), least=percent(least, 2),
        )  # fmt: skip
        _tile(_("Missed by the best matrix"), _(percent(missed, 2)), help)
    one, two, three = st.columns(3, gap="medium")
    with one:
        st.markdown(f"###### {_('Singular values of the product')}")
        figure = figures.singular_value_bars(singular_values(exact.weight), rank(exact.weight))
        live_chart(figure, key="collapse_rank", height=CHART_HEIGHT, alt=_("Singular values of the product, relative to the largest"))
    with two:
        st.markdown(f"###### {_('Stack against its product')}")
        figure = figures.difference_curve(bent.slopes, bent.difference, slope)
        live_chart(figure, key="collapse_difference", height=CHART_HEIGHT, alt=_("Largest difference against the slope, float64"))
    with three:
        st.markdown(f"###### {_('Stack against the best matrix')}")
        figure = figures.missed_curve(bent.slopes, bent.missed, slope)
        live_chart(figure, key="collapse_missed", height=CHART_HEIGHT, alt=_("Share that the best matrix misses against the slope"))
    _verdict(len(layers), slope, float(bent.difference[here]), missed, least)
    _numbers(layers, best.judged[:1].float(), slope)


def _verdict(layers: int, slope: float, difference: float, missed: float, least: float) -> None:
    if layers == 1:
        st.info(_("One layer has no hidden unit to bend: it is its own matrix."), icon=":material/info:")
    elif slope == 1.0:
        text = _("{n} layers, one matrix: all that differs is rounding. Now move the bend away from 1.", n=layers)
        st.info(text, icon=":material/compress:")
    elif difference == 0:
        text = _("No hidden unit is below 0 for any of these images, so that nothing is bent: still one matrix.")
        st.info(text, icon=":material/info:")
    else:
        st.success(
            _(
                "Bent: the stack is up to {difference} away from its product, and the one matrix that fits it best misses {missed} of what "
                "it computes ({least} on the images that it was fitted to).",
                difference=significant(difference, 2),
                missed=percent(missed, 2),
                least=percent(least, 2),
            ),
            icon=":material/turn_right:",
        )


def _numbers(layers: Sequence[Affine], image: torch.Tensor, slope: float) -> None:
    st.markdown(f"###### {_('The numbers: ten outputs for the first test image, float32')}")
    one = collapsed(layers)
    stack, product = stacked(layers, image, slope)[0], one(image)[0]
    st.dataframe(
        [
            _row(_("stack"), stack, partial(fixed, decimals=6)),
            _row(_("one matrix"), product, partial(fixed, decimals=6)),
            _row(_("difference"), stack - product, partial(significant, digits=2)),
        ],
        hide_index=True,
    )
    with st.expander(_("The one matrix and its bias")):
        numbers, digits = f"{count(INPUTS * OUTPUTS)} + {OUTPUTS}", partial(fixed, decimals=4)
        st.caption(
            _(
                "b, and the rows of W (784 × 10) for pixels {first} to {last}, out of {numbers} numbers.",
                first=SHOWN_PIXELS[0], last=SHOWN_PIXELS[-1], numbers=numbers,
            )
        )  # fmt: skip
        st.dataframe(
            [_row("b", one.bias, digits), *(_row(f"W[{pixel}]", one.weight[pixel], digits) for pixel in SHOWN_PIXELS)], hide_index=True
        )


def _row(name: str, values: torch.Tensor, worded: Callable[[float], str]) -> dict[str, str]:
    return {"": name} | {f"o{index}": worded(value) for index, value in enumerate(values.tolist(), start=1)}


def _tile(label: str, value: str, help: str) -> None:
    st.metric(label, value, help=help, border=True)
