"""A polynomial through noisy points, by least squares or gradient descent; its errors over degrees and sample counts."""

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from mlp_core.labs.generalization import polynomial
from mlp_core.labs.generalization.bands import SeedBand, compare
from mlp_core.labs.generalization.least_squares import LeastSquares
from mlp_core.labs.generalization.linear_fit import Floats
from mlp_core.labs.generalization.polynomial import Sample, Solver, Sweep
from mlp_core.losses import LOSSES
from mlp_core.records import EpochRecord
from mlp_core.spec import MAX_SEED, Bounds, RunSpec
from mlp_core.training import Run
from mlp_core.words import Message, count, counted, rounded, significant
from pages.figures.axes import axis, log_axis
from pages.figures.bands import BandSeries, band_chart
from pages.figures.marks import Marks
from pages.figures.palette import TEST, TRAIN
from pages.figures.regression import coefficient_stems, fitted_curve
from pages.language import _, said
from pages.ui import session
from pages.ui.computing import computed, part_of
from pages.ui.generalization.runs import banded, epoch_axis, in_words, runs_panel
from pages.ui.link import LinkState, choice, number
from pages.ui.live_chart import live_chart
from pages.ui.measures import Computed, Measure, Subject, Values, once
from pages.ui.presets import Preset, preset_row
from pages.ui.run.job_groups import follow_group
from pages.ui.run.measures import LOSSES as LOSSES_MEASURED
from pages.ui.run.measures import Runs, at_epoch
from pages.ui.sections import beside
from pages.ui.session import Planned

GROUP, JOB = "polynomial", "polynomials"
SOLVERS = {"exact": Message("Least squares"), "descent": Message("Gradient descent")}
BATCH = 10  # the book's
MOST_SEEDS = 20  # that one computation takes, one after another
GRID_POINTS = 301
CHART_HEIGHT = 300
FIELDS = (
    number("degree", 19, polynomial.DEGREE_BOUNDS),
    number("samples", 25, polynomial.SAMPLE_BOUNDS),
    number("noise", 0.1, polynomial.NOISE_BOUNDS, 0.05),
    number("spread", 1.0, polynomial.SPREAD_BOUNDS, 0.1),
    number("seed", 0, Bounds(0, MAX_SEED - MOST_SEEDS, whole=True)),  # the first of so many, here and in other sections
    choice("solver", "exact", tuple(SOLVERS)),
    number("lr", 0.02, Bounds(1e-4, 1.0)),
    number("epochs", 400, Bounds(1, 1500, whole=True)),
)
SWEEP_SEEDS = MOST_SEEDS
DEGREES = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 19, 24, 30)
COUNTS = (5, 7, 10, 14, 20, 30, 50, 70, 100, 150, 250, 500)
LABELED = (5, 10, 20, 50, 100, 250, 500)
SWEEP_HEIGHT = 330
ROUNDING = 1e-20  # a mean square below it is rounding: targets reach 10⁵


def _preset(lesson: str, **changed: Any) -> Preset:
    """All but the points, which do not make another experiment; what is not named is at its default."""
    kept = ("seed", "noise", "spread")
    return Preset({field.name: changed.get(field.name, field.default) for field in FIELDS if field.name not in kept}, lesson)


BOOK: dict[str, Any] = {"samples": 100, "solver": "descent"}
PRESETS: dict[str, Preset] = {
    Message("Overfit"): _preset(
        Message("20 features on 25 points, solved exactly: through the training points, and far away between and beyond them.")
    ),
    Message("Just right"): _preset(
        Message("Degree 3 on the book's 100 points: the test error comes down to the noise."), degree=3, samples=100
    ),
    Message("The book's degree 3"): _preset(
        Message("The book's own training, 400 epochs: gradient descent comes close to 5, 1.2, −3.4 and 5.6."), **BOOK, degree=3
    ),
    Message("The book's degree 1"): _preset(
        Message("The book's underfitting: a straight line, and both errors stay high, whatever the number of points."), **BOOK, degree=1
    ),
    Message("The book's 20 features"): _preset(
        Message(
            "The book's overfitting, 1,500 epochs. Gradient descent hardly moves the high powers: on one sample set the promise hardly "
            "shows. Now take least squares."
        ),
        **BOOK,
        epochs=1500,
    ),
}


@dataclass(frozen=True)
class CurveSettings:
    """What the controls ask for: the values of all `FIELDS`."""

    degree: int
    samples: int
    noise: float
    spread: float
    seed: int
    solver: str
    lr: float
    epochs: int

    @property
    def steps(self) -> int:
        """That gradient descent takes."""
        return self.epochs * -(-self.samples // BATCH)

    def drawn(self) -> tuple[Sample, Sample]:
        return polynomial.draw(self.samples, self.noise, self.seed, self.spread)

    def run(self) -> Run:
        spec = RunSpec(hidden=(), init="torch_default", lr=self.lr, batch_size=BATCH, epochs=self.epochs, seed=self.seed, device="cpu")
        return Run(spec, polynomial.dataset(*self.drawn(), self.degree), LOSSES["squared"])


def part(link: LinkState) -> None:
    """Choose a degree and points; see the fit, its coefficients, and both errors over degrees and sample counts."""
    preset_row(link, "generalization_polynomial_preset", PRESETS, label_visibility="collapsed")
    controls, results = beside("polynomial")
    with controls:
        _controls(link)
    settings = _settings_of(link)
    with results:
        if settings.solver == "exact":
            _exact(settings)
        else:
            follow_group(GROUP, lambda: _descent(settings))
        st.caption(
            _(
                "Fitted to noisy points of $y = 5 + 1.2x - 3.4\\frac{x^2}{2!} + 5.6\\frac{x^3}{3!}$. Too low a degree cannot follow the "
                "cubic; too high a degree, on too few points, follows **the noise**. Only points that were held out tell."
            )
        )
        _sweeps_panel(settings)


class Fitted(NamedTuple):
    """A polynomial by least squares, on one sample set and on many."""

    settings: CurveSettings
    by_degree: Sweep

    def errors(self) -> tuple[float, float]:
        """On the training and on the test points of the one sample set."""
        return _errors_of(_exactly_fitted(self.settings), self.settings)

    def medians(self) -> tuple[float, float]:
        """On the training and on the test points, over all sample sets."""
        here = self.by_degree.places.index(self.settings.degree)
        train, test = (float(np.median(values[:, here])) for values in (self.by_degree.train, self.by_degree.test))
        return train, test


TRAINING_ERROR, TEST_ERROR = Message("Training error"), Message("Test error")
ON_TEST = Message("The same on {points} points that were held out", points=polynomial.TEST_SAMPLES)
EXACT_MEASURES = {
    "train_loss": once(TRAINING_ERROR, Message("Mean squared error on the training points"), "number", lambda fit: fit.errors()[0]),
    "test_loss": once(TEST_ERROR, ON_TEST, "number", lambda fit: fit.errors()[1]),
    "median_train_loss": once(
        Message("Median training error"),
        Message("Mean squared error on the training points, median of {sets} sample sets", sets=SWEEP_SEEDS),
        "number", lambda fit: fit.medians()[0],
    ),
    "median_test_loss": once(
        Message("Median test error"),
        Message(
            "The same on {points} points that were held out, median of {sets} sample sets", points=polynomial.TEST_SAMPLES, sets=SWEEP_SEEDS
        ),
        "number", lambda fit: fit.medians()[1],
    ),
}  # fmt: skip


def _twice(label: str, meaning: str, read: Callable[[EpochRecord], float]) -> Measure:
    """A mean squared error, of which a loss is half."""
    return Measure(label, meaning, "number", lambda run, after: at_epoch(run, lambda epoch: 2 * read(epoch), after), per_epoch=True)


DESCENT_MEASURES = {
    "train_loss": _twice(
        TRAINING_ERROR,
        Message("Mean squared error on the training points, mean over an epoch's batches"),
        lambda epoch: epoch.train_loss,
    ),
    "test_loss": _twice(TEST_ERROR, ON_TEST, lambda epoch: epoch.test_loss),
    "diverged": LOSSES_MEASURED["diverged"],
}


def subject(values: Values) -> Subject:
    """The fit that the fields describe."""
    settings = _settings_of(values)
    if settings.solver == "descent":
        return _descended(settings)
    asked = _swept_by(settings)
    return Computed(EXACT_MEASURES, results=lambda both: {"": Fitted(settings, both[0])}, job=(JOB, asked))


def _descended(settings: CurveSettings) -> Runs:
    return Runs(GROUP, settings, [Planned(SOLVERS["descent"], settings.run)], DESCENT_MEASURES, settings.epochs)


def _settings_of(values: Values) -> CurveSettings:
    return CurveSettings(**{field.name: values[field.name] for field in FIELDS})


def _controls(link: LinkState) -> None:
    st.slider(_("Degree"), **link.value("degree"))
    st.slider(_("Training points"), **link.value("samples"))
    st.segmented_control(_("Coefficients by"), format_func=said(SOLVERS), required=True, **link.default("solver"))
    if link["solver"] == "descent":
        help = _("Of ½(ŷ − y)². The book's 0.01 is of (ŷ − y)², without the ½: 0.02 here.")
        st.number_input(_("Learning rate"), **link.value("lr", help=help))
        st.slider(_("Epochs"), **link.value("epochs", help=_("Batches of {size}, as in the book.", size=BATCH)))
    st.slider(_("Noise σ"), **link.value("noise"))
    st.slider(_("Spread of x"), **link.value("spread", help=_("x ~ N(0, spread²); the book's is 1.")))
    st.number_input(_("Seed of the points"), **link.value("seed"))


def _exact(settings: CurveSettings) -> None:
    fit = _exactly_fitted(settings)
    _fit(settings, fit.coefficients, fit.values, *_errors_of(fit, settings))
    if settings.degree >= settings.samples:
        st.caption(
            ":material/info: "
            + _(
                "{features} features on {points} points: many polynomials go through all of them. This is the one with the smallest "
                "coefficients (in their Euclidean norm).",
                features=settings.degree + 1, points=settings.samples,
            )
        )  # fmt: skip


def _exactly_fitted(settings: CurveSettings) -> LeastSquares:
    train, _test = settings.drawn()
    return LeastSquares.of(train.x, train.y, settings.degree)


def _errors_of(fit: LeastSquares, settings: CurveSettings) -> tuple[float, float]:
    """On the training and on the test points."""
    train, test = settings.drawn()
    return polynomial.mean_squared_error(fit.fitted, train), polynomial.mean_squared_error(fit.values(test.x), test)


def _descent(settings: CurveSettings) -> None:
    shown = runs_panel(_descended(settings), _("Train by gradient descent"))
    group = session.jobs().group(GROUP)
    if not shown or group is None or group.key != settings:
        _fit(settings)
        return
    learned = fitted = None
    if (network := shown[0].job.run.network) is not None:
        weight, bias = network.weights()[0]
        learned = np.concatenate([bias.double().numpy(), weight[0].double().numpy()])
        fitted = partial(polynomial.polynomial, learned)
    epochs = shown[0].snapshot.history.epochs
    errors = (2 * epochs[-1].train_loss, 2 * epochs[-1].test_loss) if epochs else ()
    _fit(settings, learned, fitted, *errors)
    st.markdown(f"###### {_('Both errors while it trains')}")
    x = [record.epoch for record in epochs]
    curves = [
        BandSeries(_("training error"), x, [2 * record.train_loss for record in epochs], TRAIN),
        BandSeries(_("test error"), x, [2 * record.test_loss for record in epochs], TEST),
    ]
    marks = _noise_floor(settings, _("noise: σ² = {variance}", variance=significant(settings.noise**2, 2)))
    figure = band_chart(curves, xaxis=epoch_axis(settings.epochs), yaxis=log_axis(_("mean squared error")), marks=marks)
    live_chart(figure, key="polynomial_descent", height=300, alt=_("Training and test error against epochs, on a log axis"))


def _noise_floor(settings: CurveSettings, text: str) -> Marks:
    marks = Marks(log=True)
    if settings.noise > 0:
        marks.level(settings.noise**2, text)
    return marks


def _fit(
    settings: CurveSettings,
    learned: Floats | None = None,
    fitted: Callable[[Floats], Floats] | None = None,
    train_error: float | None = None,
    test_error: float | None = None,
) -> None:
    """The errors in numbers, the fitted curve and its coefficients; all empty while nothing is learned."""
    with st.container(horizontal=True):
        st.metric(_(TRAINING_ERROR), _error(train_error), help=_("Mean squared error on the training points."))
        help = _("On {points} points that were held out.", points=polynomial.TEST_SAMPLES)
        st.metric(_(TEST_ERROR), _error(test_error), help=help)
        st.metric(_("Noise σ²"), _error(settings.noise**2), help=_("No polynomial can be expected to have a lower test error."))
    train, test = settings.drawn()
    reach = 1.05 * float(np.abs(np.concatenate([train.x, test.x])).max())
    grid = np.linspace(-reach, reach, GRID_POINTS)
    left, right = st.columns(2, gap="medium")
    with left:
        heading = _("Degree {degree} through {points} points", degree=settings.degree, points=count(settings.samples))
        st.markdown(f"###### {heading}")
        figure = fitted_curve(grid, polynomial.cubic(grid), fitted and fitted(grid), (train.x, train.y), (test.x, test.y))
        alt = _("Training and test points, the true cubic, the fitted polynomial")
        live_chart(figure, key="polynomial_fit", height=CHART_HEIGHT, alt=alt)
    with right:
        st.markdown(f"###### {_('Learned coefficients beside the true ones')}")
        true = np.array(polynomial.TRUE_COEFFICIENTS)
        figure = coefficient_stems(np.full(settings.degree + 1, np.nan) if learned is None else learned, true)
        alt = _("Coefficients by power, learned and true")
        live_chart(figure, key="polynomial_coefficients", height=CHART_HEIGHT, alt=alt)


def _error(value: float | None) -> str:
    if value is None:
        return "–"
    return "0" if value == 0 else "≈ 0" if value < ROUNDING else rounded(value, 3) if 0.01 <= value < 1000 else significant(value, 2)


def _sweeps(
    degree: int, samples: int, noise: float, spread: float, seed: int, solver: Solver
) -> Generator[float, None, tuple[Sweep, Sweep]]:
    """Over degrees, and over numbers of points; yields how much is done."""
    seeds = range(seed, seed + SWEEP_SEEDS)
    by_degree = polynomial.errors_by_degree(sorted({*DEGREES, degree}), samples, noise, seeds, solver, spread)
    by_samples = polynomial.errors_by_samples(sorted({*COUNTS, samples}), degree, noise, seeds, solver, spread)
    return (yield from part_of(by_degree, 0.0, 0.5)), (yield from part_of(by_samples, 0.5, 1.0))


def _sweeps_panel(settings: CurveSettings) -> None:
    """Both errors against degree and against the number of points; what is luck and what is not."""
    st.markdown(f"##### {_('One sample set proves nothing: {sets} of them', sets=SWEEP_SEEDS)}")
    asked = _swept_by(settings)
    doing = _("Fitting {sets} sample sets at every degree and number of points", sets=SWEEP_SEEDS)
    computed(JOB, asked, lambda: _sweeps(*asked), lambda both: _swept(settings, *both), doing)


def _swept_by(settings: CurveSettings) -> tuple[int, int, float, float, int, Solver]:
    """The arguments of `_sweeps`."""
    solver = Solver(settings.steps, settings.lr) if settings.solver == "descent" else Solver()
    return settings.degree, settings.samples, settings.noise, settings.spread, settings.seed, solver


def _swept(settings: CurveSettings, by_degree: Sweep, by_samples: Sweep) -> None:
    degree, samples, seed = settings.degree, settings.samples, settings.seed
    left, right = st.columns(2, gap="medium")
    with left:
        title = _("Errors against degree, {points} training points", points=samples)
        _chart(settings, by_degree, axis(_("degree")), degree, "polynomial_degrees", title)
        other = polynomial.TRUE_DEGREE if degree != polynomial.TRUE_DEGREE else polynomial.TRUE_DEGREE + 1
        st.markdown(_verdict(by_degree, degree, other, lambda place: Message("degree {degree}", degree=place)))
    with right:
        places = log_axis(_("training points"), tickvals=LABELED, ticktext=list(map(str, LABELED)), tickangle=0)
        title = _("Errors against training points, degree {degree}", degree=degree)
        _chart(settings, by_samples, places, samples, "polynomial_samples", title)
        fewer = by_samples.places[-2 if samples == by_samples.places[-1] else -1]
        other = next((n for n in by_samples.places if n >= 2 * samples), fewer)
        st.markdown(_verdict(by_samples, samples, other, lambda place: counted(place, "{n} point", "{n} points")))
    seeds = {"low": seed, "high": seed + SWEEP_SEEDS - 1}
    st.caption(
        _("By least squares. Lines are medians, bands hold four seeds of five; seeds {low} to {high}.", **seeds)
        if settings.solver == "exact"
        else _(
            counted(
                settings.steps,
                "By {n} step of gradient descent from 0, each with all points. Lines are medians, bands hold four seeds of five; "
                "seeds {low} to {high}.",
                "By {n} steps of gradient descent from 0, each with all points. Lines are medians, bands hold four seeds of five; "
                "seeds {low} to {high}.",
                **seeds,
            )
        )
    )


def _chart(settings: CurveSettings, sweep: Sweep, xaxis: dict[str, object], here: float, key: str, title: str) -> None:
    train = banded(_("training error"), sweep.places, sweep.train, TRAIN, markers=True)
    test = banded(_("test error"), sweep.places, sweep.test, TEST, markers=True)
    st.markdown(f"###### {title}")
    lowest = math.log10(max(settings.noise**2, 1e-6)) - 3
    highest = max(2.0, math.log10(max(1.0, min(float(SeedBand.of(sweep.test).high.max()), 1e30)))) + 0.3
    yaxis = log_axis(_("mean squared error"), range=[lowest, highest], uirevision=f"{lowest:.2g} to {highest:.3g}")
    figure = band_chart([train, test], xaxis=xaxis, yaxis=yaxis, marks=_noise_floor(settings, _("noise σ²")), here=here)
    live_chart(figure, key=key, height=SWEEP_HEIGHT, alt=title)


def _verdict(sweep: Sweep, chosen: int, other: int, called: Callable[[int], str]) -> str:
    """The place chosen against another one."""
    first, second = (sweep.test[:, sweep.places.index(place)] for place in (chosen, other))
    return in_words(compare(first, second), called(chosen), called(other), quantity=TEST_ERROR)
