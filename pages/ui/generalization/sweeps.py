"""Errors of the polynomial over degrees and over sample counts, with the band over seeds."""

from __future__ import annotations

import math

import streamlit as st

from mlp_core.labs.generalization.bands import PairedComparison, compare
from mlp_core.labs.generalization.polynomial import TRUE_DEGREE, Solver, Sweep, errors_by_degree, errors_by_samples
from pages.figures.axes import axis, log_axis
from pages.figures.bands import BandSeries, band_chart
from pages.figures.marks import Marks
from pages.figures.palette import TEST, TRAIN
from pages.ui.generalization.runs import in_words
from pages.ui.live_chart import live_chart

SEEDS = 20
DEGREES = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 19, 24, 30)
COUNTS = (5, 7, 10, 14, 20, 30, 50, 70, 100, 150, 250, 500)
LABELED = (5, 10, 20, 50, 100, 250, 500)
CHART_HEIGHT = 330


@st.cache_data(max_entries=128, show_spinner=False)
def _by_degree(degree: int, samples: int, noise: float, spread: float, seed: int, steps: int | None, rate: float) -> Sweep:
    degrees = sorted({*DEGREES, degree})
    return errors_by_degree(degrees, samples, noise, range(seed, seed + SEEDS), Solver(steps, rate), spread)


@st.cache_data(max_entries=128, show_spinner=False)
def _by_samples(degree: int, samples: int, noise: float, spread: float, seed: int, steps: int | None, rate: float) -> Sweep:
    counts = sorted({*COUNTS, samples})
    return errors_by_samples(counts, degree, noise, range(seed, seed + SEEDS), Solver(steps, rate), spread)


def sweeps_panel(degree: int, samples: int, noise: float, spread: float, seed: int, solver: Solver) -> None:
    """Both errors against degree and against the number of points; what is luck and what is not."""
    st.markdown(f"##### One sample set proves nothing: {SEEDS} of them")
    settings = (degree, samples, noise, spread, seed, solver.steps, solver.rate)
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
    st.caption(f"By {how}. Lines are medians, bands hold four seeds of five; seeds {seed} to {seed + SEEDS - 1}.")


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
    live_chart(band_chart(series, xaxis=xaxis, yaxis=yaxis, marks=marks, here=here), key=key, height=CHART_HEIGHT, alt=alt)


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
