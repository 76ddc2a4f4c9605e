"""Measurements of the page "Stability", each kept as long as what it depends on stays the same."""

from typing import Literal, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from torch import Tensor

from mlp_core.data import load_fashion_mnist
from mlp_core.expression import resolve
from mlp_core.labs.stability.depth import gaussian_batch, output_histograms, predict_depth
from mlp_core.labs.stability.exponents import largest_exponent
from mlp_core.labs.stability.gradient_map import BATCH, VarianceMap, gradient_map_log10
from mlp_core.labs.stability.growth import Rate, literal_growth, measured_rate, product_after
from mlp_core.labs.stability.mean_field import DepthPrediction
from mlp_core.labs.stability.singular_values import singular_value_path
from mlp_core.spec import INPUTS, RunSpec
from mlp_core.stability.depth import DepthReport, image_batch, measure_depth
from mlp_core.stability.products import ENSEMBLES, measured_growth
from mlp_core.theory import Array
from mlp_core.words import Message

SOURCES = {"images": "Fashion-MNIST", "gaussian": Message("Gaussian N(0, 1)")}
Plane = Literal["depth", "sigma_b"]

MAP_DEPTH = 60  # layers a gradient goes back in the plane (σ_w, depth)
MAP_COLUMNS, MAP_ROWS = 48, 17
LINE_POINTS = 101
MOST_SIGMA_W = 20.0  # as far as theory's line is looked for
PLANE_DEPTH = 20  # in the plane (σ_w, σ_b)
LINE_ELEMENTS = 2_000_000  # that the expectations behind theory's line take of the wildest activation
HIGHEST_SIGMA_B = 2.0


literal = st.cache_data(max_entries=8, show_spinner=False)(literal_growth)
snapshot = st.cache_data(max_entries=128, show_spinner=False)(product_after)
singular_values = st.cache_data(max_entries=8, show_spinner=False)(singular_value_path)


@st.cache_data(max_entries=8, show_spinner=False)
def growth(n: int, factors: int, trials: int, seed: int, law: str) -> tuple[Array, Rate]:
    """log10 of max|M| (trials, factors) and the measured λ₁ at scale 1, which any other only shifts."""
    sizes, column = measured_growth(n, factors, trials, seed=seed, ensemble=law)
    return sizes, measured_rate(column)


@st.cache_data(show_spinner=False, max_entries=4)
def critical_scales(law: str, largest: int) -> tuple[Array, Array]:
    """For n = 1 .. largest: the scale at which products neither grow nor die, and the one that keeps the mean square."""
    sizes = range(1, largest + 1)
    mean_square = ENSEMBLES[law].mean_square_scale
    return np.array([largest_exponent(law, n).critical_scale for n in sizes]), np.array([mean_square(n) for n in sizes])


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs={RunSpec: RunSpec.to_json})
def depth_report(spec: RunSpec, source: str, size: int, precision: str) -> DepthReport:
    return measure_depth(spec, *_batch(source, size), precision)


@st.cache_data(max_entries=16, show_spinner=False, hash_funcs={RunSpec: RunSpec.to_json})
def histograms(spec: RunSpec, source: str, size: int) -> tuple[Array, Array]:
    return output_histograms(spec, _batch(source, size)[0])


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs={RunSpec: RunSpec.to_json})
def depth_prediction(spec: RunSpec, source: str, size: int) -> DepthPrediction | None:
    return predict_depth(spec, *_batch(source, size))


@st.cache_resource(max_entries=8, show_spinner=False)
def variance_map(activation: str) -> VarianceMap:
    return VarianceMap(resolve(activation))


class MapAxes(NamedTuple):
    """The axes of a plane, and theory's line on them."""

    sigma_w: Array  # (s,), well past the line
    heights: Array  # (t,) of the other quantity
    line: tuple[Array, Array, NDArray[np.bool_]]  # x and y (m,) of the line, NaN where there is none; where on it χ jumps over 1


@st.cache_data(max_entries=8, show_spinner=False)
def map_axes(activation: str, plane: Plane, sigma_b: float) -> MapAxes:
    heights = np.linspace(0.0, HIGHEST_SIGMA_B, MAP_ROWS)
    along = np.linspace(0.0, HIGHEST_SIGMA_B, LINE_POINTS) if plane == "sigma_b" else np.array([sigma_b])
    boundary = variance_map(activation).boundary(along, MOST_SIGMA_W)
    line = boundary.sigma_w
    highest = 4.0 if np.isnan(line).all() else float(max(3.0, 1.4 * np.nanmax(line)))
    sigma_w = np.linspace(highest / MAP_COLUMNS, highest, MAP_COLUMNS)
    if plane == "sigma_b":
        return MapAxes(sigma_w, heights, (line, along, boundary.jumps))
    layers = np.arange(1.0, MAP_DEPTH + 1)
    return MapAxes(sigma_w, layers, (np.repeat(line, 2), layers[[0, -1]], np.repeat(boundary.jumps, 2)))


@st.cache_data(max_entries=8, show_spinner=False)
def gradient_plane(activation: str, plane: Plane, sigma_b: float, width: int) -> Array:
    """log10 of the gradient's change at every point of `map_axes`, (t, s)."""
    sigma_w, heights, _ = map_axes(activation, plane, sigma_b)
    if plane == "depth":
        changes = gradient_map_log10(activation, sigma_w, np.full(len(sigma_w), sigma_b), MAP_DEPTH, width=width)
        return changes[:, 1:].T
    w, b = np.meshgrid(sigma_w, heights)
    changes = gradient_map_log10(activation, w.ravel(), b.ravel(), PLANE_DEPTH, width=width)
    return changes[:, -1].reshape(w.shape)


def plane_elements(plane: Plane, width: int) -> int:
    """How many values of an activation its plane takes, theory's line included."""
    networks, layers = (MAP_COLUMNS, MAP_DEPTH) if plane == "depth" else (MAP_COLUMNS * MAP_ROWS, PLANE_DEPTH)
    return networks * layers * BATCH * width + LINE_ELEMENTS


def _batch(source: str, size: int) -> tuple[Tensor, Tensor]:
    if source == "gaussian":
        return gaussian_batch(size, INPUTS, seed=0)
    data = load_fashion_mnist()
    return image_batch(data.train_images, data.train_labels, size)
