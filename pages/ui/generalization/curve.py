"""A polynomial through noisy points, by least squares or gradient descent; its errors over degrees and sample counts."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from mlp_core.labs.generalization import polynomial
from mlp_core.labs.generalization.bands import PairedComparison, compare
from mlp_core.labs.generalization.linear_fit import Floats, LinearFit
from mlp_core.labs.generalization.polynomial import (
    DEGREE_BOUNDS,
    NOISE_BOUNDS,
    SAMPLE_BOUNDS,
    SPREAD_BOUNDS,
    TRUE_DEGREE,
    Sample,
    Solver,
    Sweep,
    errors_by_degree,
    errors_by_samples,
)
from mlp_core.losses import LOSSES
from mlp_core.spec import MAX_SEED, Bounds, RunSpec
from mlp_core.training import Run
from pages.figures.axes import axis, log_axis
from pages.figures.bands import BandSeries, band_chart
from pages.figures.marks import Marks
from pages.figures.palette import TEST, TRAIN
from pages.figures.regression import coefficient_stems, fitted_curve
from pages.ui import session
from pages.ui.generalization.runs import in_words, runs_panel
from pages.ui.link import LinkState, choice, number
from pages.ui.live_chart import live_chart
from pages.ui.presets import Preset, preset_row
from pages.ui.run.job_groups import follow_group
from pages.ui.session import Planned
from pages.ui.text import count

GROUP = "polynomial"
SOLVERS = {"exact": "Least squares", "descent": "Gradient descent"}
BATCH = 10  # the book's
GRID_POINTS = 301
CHART_HEIGHT = 360
LR_BOUNDS = Bounds(1e-4, 1.0)
FIELDS = (
    number("degree", 19, DEGREE_BOUNDS),
    number("samples", 25, SAMPLE_BOUNDS),
    number("noise", 0.1, NOISE_BOUNDS),
    number("spread", 1.0, SPREAD_BOUNDS),
    number("seed", 0, Bounds(0, MAX_SEED, whole=True)),
    choice("solver", "exact", tuple(SOLVERS)),
    number("lr", 0.02, LR_BOUNDS),
    number("epochs", 400, Bounds(1, 1500, whole=True)),
)
SWEEP_SEEDS = 20
DEGREES = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 19, 24, 30)
COUNTS = (5, 7, 10, 14, 20, 30, 50, 70, 100, 150, 250, 500)
LABELED = (5, 10, 20, 50, 100, 250, 500)
SWEEP_HEIGHT = 330


def _preset(lesson: str, **changed: Any) -> Preset:
    """All but the points, which do not make another experiment; what is not named is at its default."""
    kept = ("seed", "noise", "spread")
    return Preset({field.name: changed.get(field.name, field.default) for field in FIELDS if field.name not in kept}, lesson)


PRESETS = {
    "Overfit": _preset("20 features on 25 points, solved exactly: through the training points, and far away between and beyond them."),
    "Just right": _preset("Degree 3 on the book's 100 points: the test error comes down to the noise.", degree=3, samples=100),
    "The book's degree 3": _preset(
        "The book's own training, 400 epochs: gradient descent comes close to 5, 1.2, −3.4 and 5.6.",
        degree=3,
        samples=100,
        solver="descent",
    ),
    "The book's degree 1": _preset(
        "The book's underfitting: a straight line, and both errors stay high, whatever the number of points.",
        degree=1,
        samples=100,
        solver="descent",
    ),
    "The book's 20 features": _preset(
        "The book's overfitting, 1,500 epochs. Gradient descent hardly moves the high powers: on one sample set the promise hardly shows. "
        "Now take least squares.",
        samples=100,
        solver="descent",
        epochs=1500,
    ),
}


@dataclass(frozen=True, eq=False)
class CurveSettings:
    """What the controls ask for; `key` is equal for equal runs."""

    degree: int
    samples: int
    noise: float
    spread: float
    seed: int
    exact: bool
    lr: float
    epochs: int

    @classmethod
    def of(cls, link: LinkState) -> CurveSettings:
        whole = {name: int(link[name]) for name in ("degree", "samples", "seed", "epochs")}
        return cls(**whole, noise=float(link["noise"]), spread=float(link["spread"]), exact=link["solver"] == "exact", lr=float(link["lr"]))

    @property
    def key(self) -> Hashable:
        return self.degree, self.samples, self.noise, self.spread, self.seed, self.lr, self.epochs

    @property
    def solver(self) -> Solver:
        """For the sweeps: gradient descent takes as many steps as the run does, each with all samples."""
        return Solver() if self.exact else Solver(self.epochs * -(-self.samples // BATCH), self.lr)

    def drawn(self) -> tuple[Sample, Sample]:
        return polynomial.draw(self.samples, self.noise, self.seed, self.spread)

    def run(self) -> Run:
        spec = RunSpec(
            hidden=(), init="torch_default", lr=self.lr, batch_size=BATCH, epochs=self.epochs, seed=self.seed, device="cpu"
        )  # fmt: skip
        return Run(spec, polynomial.dataset(*self.drawn(), self.degree), LOSSES["squared"])


def part(link: LinkState) -> None:
    """Choose a degree and points; see the fit, its coefficients, and both errors over degrees and sample counts."""
    st.markdown(
        "A polynomial is fitted to noisy points of $y = 5 + 1.2x - 3.4\\frac{x^2}{2!} + 5.6\\frac{x^3}{3!}$. Too low a degree cannot "
        "follow the cubic; too high a degree, on too few points, follows **the noise**. Only points that were held out tell."
    )
    preset_row(link, "generalization_polynomial_preset", PRESETS)
    controls, results = st.columns([1, 2.6], gap="medium")
    with controls:
        _controls(link)
    settings = CurveSettings.of(link)
    with results:
        if settings.exact:
            _exact(settings)
        else:
            follow_group(GROUP, lambda: _descent(settings))
    sweeps_panel(settings.degree, settings.samples, settings.noise, settings.spread, settings.seed, settings.solver)


def _controls(link: LinkState) -> None:
    st.slider("Degree", **link.value("degree"))
    st.slider("Training points", **link.value("samples"))
    st.segmented_control("Coefficients by", format_func=SOLVERS.__getitem__, required=True, **link.default("solver"))
    if link["solver"] == "descent":
        help = "Of ½(ŷ − y)². The book's 0.01 is of (ŷ − y)², without the ½: 0.02 here."
        st.number_input("Learning rate", format="%.4g", help=help, **link.value("lr"))
        st.slider("Epochs", help=f"Batches of {BATCH}, as in the book.", **link.value("epochs"))
    st.slider("Noise σ", step=0.05, **link.value("noise"))
    st.slider("Spread of x", step=0.1, help="x ~ N(0, spread²); the book's is 1.", **link.value("spread"))
    st.number_input("Seed of the points", **link.value("seed"))


def _exact(settings: CurveSettings) -> None:
    train, test = settings.drawn()
    fit = LinearFit.of(polynomial.features(train.x, settings.degree))
    learned = fit.least_squares(train.y)
    _numbers(settings, polynomial.mean_squared_error(learned, train), polynomial.mean_squared_error(learned, test))
    _pictures(settings, learned)
    if fit.rank <= settings.degree:
        st.caption(
            f":material/info: {settings.degree + 1} features, but only {fit.rank} of their directions can be told apart on these points in "
            "float64; of all coefficients that fit as well, the smallest are taken."
        )


def _descent(settings: CurveSettings) -> None:
    shown = runs_panel(GROUP, "Train by gradient descent", settings.key, [Planned("Gradient descent", settings.run)])
    group = session.jobs().group(GROUP)
    if not shown or group is None or group.key != settings.key:
        _numbers(settings, None, None)
        _pictures(settings, None)
        return
    network = group.jobs[0].run.network
    learned = None
    if network is not None:
        weight, bias = network.weights()[0]
        learned = np.concatenate([bias.double().numpy(), weight[0].double().numpy()])
    epochs = shown[0].snapshot.history.epochs
    errors = (2 * epochs[-1].train_loss, 2 * epochs[-1].test_loss) if epochs else (None, None)
    _numbers(settings, *errors)
    _pictures(settings, learned)
    st.markdown("###### Both errors while it trains")
    x = [record.epoch for record in epochs]
    marks = Marks(log=True)
    _noise_floor(marks, settings.noise)
    figure = band_chart(
        [
            BandSeries("training error", x, [2 * record.train_loss for record in epochs], TRAIN),
            BandSeries("test error", x, [2 * record.test_loss for record in epochs], TEST),
        ],
        xaxis=axis("epoch", range=[0, settings.epochs], uirevision=str(settings.epochs)),
        yaxis=log_axis("mean squared error"),
        marks=marks,
    )
    live_chart(figure, key="polynomial_descent", height=300, alt="Training and test error against epochs, on a log axis")


def _noise_floor(marks: Marks, noise: float) -> None:
    if noise > 0:
        marks.level(noise**2, f"noise: σ² = {noise**2:.2g}")


def _numbers(settings: CurveSettings, train: float | None, test: float | None) -> None:
    with st.container(horizontal=True):
        st.metric("Training error", _error(train), border=True, help="Mean squared error on the training points.")
        st.metric("Test error", _error(test), border=True, help=f"On {polynomial.TEST_SAMPLES} points that were held out.")
        st.metric("Noise σ²", _error(settings.noise**2), border=True, help="No polynomial can be expected to have a lower test error.")


def _error(value: float | None) -> str:
    if value is None:
        return "–"
    return "0" if value == 0 else f"{value:.3f}" if 0.01 <= value < 1000 else f"{value:.1e}"


def _pictures(settings: CurveSettings, learned: Floats | None) -> None:
    train, test = settings.drawn()
    reach = 1.05 * float(np.abs(np.concatenate([train.x, test.x])).max())
    grid = np.linspace(-reach, reach, GRID_POINTS)
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"###### Degree {settings.degree} through {count(settings.samples)} points")
        fitted = None if learned is None else polynomial.features(grid, settings.degree) @ learned
        figure = fitted_curve(grid, polynomial.cubic(grid), fitted, (train.x, train.y), (test.x, test.y))
        live_chart(figure, key="polynomial_fit", height=CHART_HEIGHT, alt="Training and test points, the true cubic, the fitted polynomial")
    with right:
        st.markdown("###### Learned coefficients beside the true ones")
        true = np.array(polynomial.TRUE_COEFFICIENTS)
        figure = coefficient_stems(np.full(settings.degree + 1, np.nan) if learned is None else learned, true)
        live_chart(figure, key="polynomial_coefficients", height=CHART_HEIGHT, alt="Coefficients by power, learned and true")


@st.cache_data(max_entries=128, show_spinner=False)
def _by_degree(degree: int, samples: int, noise: float, spread: float, seed: int, solver: Solver) -> Sweep:
    degrees = sorted({*DEGREES, degree})
    return errors_by_degree(degrees, samples, noise, range(seed, seed + SWEEP_SEEDS), solver, spread)


@st.cache_data(max_entries=128, show_spinner=False)
def _by_samples(degree: int, samples: int, noise: float, spread: float, seed: int, solver: Solver) -> Sweep:
    counts = sorted({*COUNTS, samples})
    return errors_by_samples(counts, degree, noise, range(seed, seed + SWEEP_SEEDS), solver, spread)


def sweeps_panel(degree: int, samples: int, noise: float, spread: float, seed: int, solver: Solver) -> None:
    """Both errors against degree and against the number of points; what is luck and what is not."""
    st.markdown(f"##### One sample set proves nothing: {SWEEP_SEEDS} of them")
    settings = (degree, samples, noise, spread, seed, solver)
    by_degree, by_samples = _by_degree(*settings), _by_samples(*settings)
    left, right = st.columns(2, gap="medium")
    with left:
        _chart(by_degree, axis("degree"), degree, noise, "polynomial_degrees", f"Errors against degree, {samples} training points")
        st.markdown(_verdict_on_degree(by_degree, degree))
    with right:
        places = log_axis("training points", tickvals=LABELED, ticktext=list(map(str, LABELED)), tickangle=0)
        _chart(by_samples, places, samples, noise, "polynomial_samples", f"Errors against training points, degree {degree}")
        st.markdown(_verdict_on_samples(by_samples, samples))
    how = "least squares" if solver.steps is None else f"{solver.steps:,} steps of gradient descent from 0, each with all points"
    st.caption(f"By {how}. Lines are medians, bands hold four seeds of five; seeds {seed} to {seed + SWEEP_SEEDS - 1}.")


def _chart(sweep: Sweep, xaxis: dict[str, object], here: float, noise: float, key: str, alt: str) -> None:
    train, test = sweep.bands
    series = [
        BandSeries("training error", sweep.places, train.median, TRAIN, train.low, train.high, markers=True),
        BandSeries("test error", sweep.places, test.median, TEST, test.low, test.high, markers=True),
    ]
    marks = Marks(log=True)
    if noise > 0:
        marks.level(noise**2, "noise σ²")
    st.markdown(f"###### {alt}")
    lowest = math.log10(max(noise**2, 1e-6)) - 3
    highest = max(2.0, math.log10(max(1.0, min(float(test.high.max()), 1e30)))) + 0.3
    yaxis = log_axis("mean squared error", range=[lowest, highest], uirevision=f"{lowest:.2g} to {highest:.3g}")
    live_chart(band_chart(series, xaxis=xaxis, yaxis=yaxis, marks=marks, here=here), key=key, height=SWEEP_HEIGHT, alt=alt)


def _column(sweep: Sweep, first: int, second: int) -> PairedComparison:
    return compare(sweep.test[:, sweep.places.index(first)], sweep.test[:, sweep.places.index(second)])


def _verdict_on_degree(sweep: Sweep, degree: int) -> str:
    """The degree chosen against the true one; the true one against the next."""
    other = TRUE_DEGREE if degree != TRUE_DEGREE else TRUE_DEGREE + 1
    return in_words(_column(sweep, degree, other), f"degree {degree}", f"degree {other}", quantity="Test error")


def _verdict_on_samples(sweep: Sweep, samples: int) -> str:
    """The number chosen against about twice as many, or against the number before the last."""
    more = next((place for place in sweep.places if place >= 2 * samples), None)
    other = more if more is not None else sweep.places[-1] if samples != sweep.places[-1] else sweep.places[-2]
    return in_words(_column(sweep, samples, other), f"{samples} points", f"{other} points", quantity="Test error")
