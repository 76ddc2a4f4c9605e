"""A polynomial through noisy points: by least squares at once, or by gradient descent while one looks on; a part of "Capacity and data"."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from mlp_core.labs.generalization import polynomial
from mlp_core.labs.generalization.linear_fit import Floats, LinearFit
from mlp_core.labs.generalization.polynomial import DEGREE_BOUNDS, NOISE_BOUNDS, SAMPLE_BOUNDS, SPREAD_BOUNDS, Sample, Solver
from mlp_core.losses import LOSSES
from mlp_core.spec import MAX_SEED, Bounds, RunSpec
from mlp_core.training import Run
from pages.figures.axes import axis, log_axis
from pages.figures.bands import BandSeries, band_chart
from pages.figures.marks import Marks
from pages.figures.palette import TEST, TRAIN
from pages.figures.regression import coefficient_stems, fitted_curve
from pages.ui import session
from pages.ui.generalization.runs import runs_panel
from pages.ui.generalization.sweeps import sweeps_panel
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
class Settings:
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
    def of(cls, link: LinkState) -> Settings:
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
    settings = Settings.of(link)
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


def _exact(settings: Settings) -> None:
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


def _descent(settings: Settings) -> None:
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


def _numbers(settings: Settings, train: float | None, test: float | None) -> None:
    with st.container(horizontal=True):
        st.metric("Training error", _error(train), border=True, help="Mean squared error on the training points.")
        st.metric("Test error", _error(test), border=True, help=f"On {polynomial.TEST_SAMPLES} points that were held out.")
        st.metric("Noise σ²", _error(settings.noise**2), border=True, help="No polynomial can be expected to have a lower test error.")


def _error(value: float | None) -> str:
    if value is None:
        return "–"
    return "0" if value == 0 else f"{value:.3f}" if 0.01 <= value < 1000 else f"{value:.1e}"


def _pictures(settings: Settings, learned: Floats | None) -> None:
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
