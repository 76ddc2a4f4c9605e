"""Signal and gradient through depth against backpropagation written out in numpy, the chapter's numbers, and wide networks."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from mlp_core.data import load_sample
from mlp_core.initializers import initial_parameters
from mlp_core.labs.stability.depth import factor_a_layer, gaussian_batch, output_histograms, predict_depth
from mlp_core.network import generator_for
from mlp_core.spec import OUTPUTS, RunSpec, SpecError
from mlp_core.stability.depth import gradient_norms_by_depth, image_batch, measure_depth, norm_log10

TORCH_FUNCTIONS = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}


@cache
def images(size: int = 256) -> tuple[Tensor, Tensor]:
    sample = load_sample()
    return image_batch(sample.train_images, sample.train_labels, size)


def deep(activation: str, init: str, depth: int, width: int = 64, **fields: object) -> RunSpec:
    return RunSpec(hidden=(width,) * depth, activation=activation, init=init, **fields)  # type: ignore[arg-type]


def test_gradients_agree_with_backpropagation_written_out() -> None:
    spec = deep("tanh", "xavier_normal", 4, width=12, seed=3)
    inputs, labels = images(20)
    x, y = inputs.numpy(), labels.numpy()
    weights = [w.double().numpy() for w, _ in initial_parameters(spec, (784, *spec.hidden, OUTPUTS), generator_for(spec, "init"))]
    signals = [x]
    for W in weights[:-1]:
        signals.append(np.tanh(signals[-1] @ W.T))
    logits = signals[-1] @ weights[-1].T
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    delta = (p - np.eye(OUTPUTS)[y]) / len(y)
    weight_norms: list[float] = []
    hidden_norms: list[float] = []
    for W, h in zip(weights[::-1], signals[::-1], strict=True):
        weight_norms.insert(0, float(np.linalg.norm(delta.T @ h)))
        hidden_norms.insert(0, float(np.linalg.norm(delta @ W)))
        delta = delta @ W * (1 - h**2)
    report = measure_depth(spec, inputs, labels)
    np.testing.assert_allclose(np.power(10.0, report.weight_gradient_log10), weight_norms, rtol=1e-10)
    np.testing.assert_allclose(np.power(10.0, report.hidden_gradient_log10), hidden_norms, rtol=1e-10)
    np.testing.assert_allclose(report.printed_norm, weight_norms, rtol=1e-10)
    np.testing.assert_allclose(report.activation_mean, [h.mean() for h in signals[1:]], atol=1e-14)
    np.testing.assert_allclose(report.activation_std, [h.std() for h in signals[1:]], rtol=1e-10)
    np.testing.assert_allclose(report.activation_rms_log10, [math.log10((h**2).mean()) / 2 for h in signals[1:]], atol=1e-12)
    np.testing.assert_allclose(report.saturated_fraction, [(np.abs(h) >= 0.97).mean() for h in signals[1:]], atol=1e-12)
    assert report.loss == pytest.approx(-np.log(p[np.arange(len(y)), y]).mean(), rel=1e-12)


@pytest.mark.parametrize(
    ("activation", "init", "std", "depth", "published"),
    [
        ("sigmoid", "torch_default", 0.01, 3, 4.5e-3),
        ("sigmoid", "torch_default", 0.01, 10, 5.5e-9),
        ("sigmoid", "torch_default", 0.01, 20, 2e-17),
        ("relu", "torch_default", 0.01, 10, 9.9e-5),
        ("relu", "torch_default", 0.01, 20, 1.8e-8),
        ("relu", "he_normal", 0.01, 10, 3.5),
        ("relu", "he_normal", 0.01, 20, 2.2),
        ("tanh", "normal", 1.0, 20, 2.7e6),
        ("relu", "normal", 1.0, 20, 8.7e15),
    ],
)
def test_first_layer_norms_of_the_chapter(activation: str, init: str, std: float, depth: int, published: float) -> None:
    """One network's norm scatters from seed to seed by a factor of about 2, so the median of seven is held against the value."""
    norms = [gradient_norms_by_depth(activation, init, depth, init_std=std, seed=seed)[0] for seed in range(7)]
    assert abs(math.log10(np.median(norms) / published)) < 0.4


def test_xavier_keeps_the_gradient_of_tanh_flat() -> None:
    norms = gradient_norms_by_depth("tanh", "xavier_normal", 20)
    assert norms.shape == (21,)
    assert norms[1:].max() / norms[1:].min() < 5


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_small_normal_weights_print_an_exact_zero_in_float32_at_twenty_layers(activation: str) -> None:
    """The entries are still there; it is their squares that float32 does not have."""
    inputs, labels = images()
    spec = deep(activation, "normal", 20, init_std=0.01)
    single, double = measure_depth(spec, inputs, labels, "float32"), measure_depth(spec, inputs, labels)
    assert single.printed_norm[0] == 0.0
    assert double.printed_norm[0] > 0.0
    assert single.weight_gradient_log10[0] == pytest.approx(double.weight_gradient_log10[0], abs=0.01)
    assert single.weight_gradient_log10[0] < -20


def test_forty_layers_underflow_in_float32_entry_by_entry() -> None:
    inputs, labels = images(64)
    spec = deep("relu", "normal", 40, init_std=0.01)
    single, double = measure_depth(spec, inputs, labels, "float32"), measure_depth(spec, inputs, labels)
    assert single.weight_gradient_log10[0] == -math.inf
    assert -60 < double.weight_gradient_log10[0] < -45


def test_an_explosion_past_float32_shows_as_not_finite() -> None:
    inputs, labels = images(32)
    spec = deep("relu", "normal", 40, init_std=10.0)
    assert not np.isfinite(measure_depth(spec, inputs, labels, "float32").weight_gradient_log10).any()
    assert np.isfinite(measure_depth(spec, inputs, labels).weight_gradient_log10).all()


def test_dead_units_are_counted() -> None:
    inputs, labels = images(16)
    report = measure_depth(deep("=relu(x - 1000)", "he_normal", 2), inputs, labels)
    np.testing.assert_array_equal(report.dead_fraction, 1.0)
    np.testing.assert_array_equal(report.weight_gradient_log10, -math.inf)
    assert not output_histograms(deep("=relu(x - 1000)", "he_normal", 2), inputs)[0].any()
    assert (measure_depth(deep("tanh", "he_normal", 2), inputs, labels).dead_fraction == 0.0).all()


def test_histograms_count_every_output_once() -> None:
    counts, largest = output_histograms(deep("relu", "he_normal", 3, width=8), images(16)[0])
    np.testing.assert_array_equal(counts.sum(axis=1), 16 * 8)
    assert not counts[:, : counts.shape[1] // 2 - 1].any()  # ReLU has no negative outputs
    assert (counts[:, -1] > 0).all()  # the largest output lies in the last bin
    assert (largest > 0).all()


def test_measuring_leaves_the_batch_alone() -> None:
    inputs, labels = gaussian_batch(8, 784, seed=0)
    before = inputs.clone()
    measure_depth(deep("tanh", "xavier_normal", 2), inputs, labels)
    assert torch.equal(inputs, before)
    assert not inputs.requires_grad
    assert inputs.grad is None


def test_the_gaussian_batch_is_standard_normal_and_repeats() -> None:
    features, labels = gaussian_batch(200, 784, seed=5)
    assert features.mean().item() == pytest.approx(0.0, abs=0.01)
    assert features.var().item() == pytest.approx(1.0, abs=0.02)
    assert set(labels.tolist()) == set(range(OUTPUTS))
    assert torch.equal(features, gaussian_batch(200, 784, seed=5)[0])


@pytest.mark.parametrize(
    ("activation", "init", "std"),
    [("relu", "he_normal", 0.01), ("tanh", "normal", 0.05), ("sigmoid", "torch_default", 0.01), ("gelu", "xavier_uniform", 0.01)],
)
def test_mean_field_describes_a_wide_network(activation: str, init: str, std: float) -> None:
    inputs, labels = gaussian_batch(64, 784, seed=1)
    spec = deep(activation, init, 5, width=1024, init_std=std)
    report, prediction = measure_depth(spec, inputs, labels), predict_depth(spec, inputs, labels)
    assert prediction is not None
    np.testing.assert_allclose(report.activation_rms_log10, prediction.activation_rms_log10, atol=0.03)
    np.testing.assert_allclose(report.hidden_gradient_log10, prediction.hidden_gradient_log10, atol=0.05)
    np.testing.assert_allclose(report.activation_mean, prediction.activation_mean, atol=0.05)
    low, high = prediction.weight_gradient_log10
    assert np.all(report.weight_gradient_log10 > low - 0.1)
    assert np.all(report.weight_gradient_log10 < high + 0.1)


@pytest.mark.parametrize("classes", [range(10), range(2)], ids=["ten classes", "two classes"])
@pytest.mark.parametrize(("activation", "init"), [("relu", "torch_default"), ("relu", "he_normal"), ("tanh", "xavier_normal")])
def test_the_band_is_that_of_the_labels_in_the_batch(classes: range, activation: str, init: str) -> None:
    sample = load_sample()
    wanted = torch.isin(sample.train_labels, torch.tensor(classes))
    inputs, labels = image_batch(sample.train_images[wanted], sample.train_labels[wanted], 128)
    seeds = [deep(activation, init, 10, width=256, seed=seed) for seed in range(5)]
    measured = np.median([measure_depth(spec, inputs, labels).weight_gradient_log10 for spec in seeds], axis=0)
    prediction = predict_depth(seeds[0], inputs, labels)
    assert prediction is not None
    low, high = prediction.weight_gradient_log10
    assert np.all(measured > low - 0.1)
    assert np.all(measured < high + 0.1)


def test_where_all_images_are_alike_only_what_labels_are_out_of_balance_is_left() -> None:
    """Biases drown the images in ReLU's default weights: the gradient is that of the labels' counts, below that of independent images."""
    inputs, labels = images(128)
    counts = torch.bincount(labels, minlength=OUTPUTS).double()
    alike = ((counts - 12.8).square().sum() / (128 * 0.9)).sqrt().log10().item()
    assert alike < -0.1
    last = []
    for seed in range(5):
        report = measure_depth(deep("relu", "torch_default", 15, width=256, seed=seed), inputs, labels)
        independent = math.log10(math.sqrt(0.9 / 128 * 256)) + report.activation_rms_log10[-1]
        last.append(report.weight_gradient_log10[-1] - independent)
    assert np.median(last) == pytest.approx(alike, abs=0.1)


@pytest.mark.parametrize(
    ("activation", "init"), [("sigmoid", "torch_default"), ("relu", "torch_default"), ("relu", "he_normal"), ("tanh", "xavier_normal")]
)
def test_most_networks_lie_inside_the_band_from_their_first_layer_to_their_last(activation: str, init: str) -> None:
    """Twenty layers of 64 units, on the first 256 images: of 40 networks 40, 38, 36 and 40."""
    inputs, labels = images()
    prediction = predict_depth(deep(activation, init, 20), inputs, labels)
    assert prediction is not None
    low, high = prediction.weight_gradient_log10
    measured = [measure_depth(deep(activation, init, 20, seed=seed), inputs, labels).weight_gradient_log10 for seed in range(12)]
    assert sum(bool(np.all((low < one) & (one < high))) for one in measured) >= 8
    np.testing.assert_array_less(high - low, 2.6)


@pytest.mark.parametrize(("activation", "init"), [("relu", "he_normal"), ("relu", "torch_default")])
def test_the_scatter_of_narrow_networks_is_foreseen(activation: str, init: str) -> None:
    """The band is wider by four standard deviations than that of hardly scattering, wide networks."""
    inputs, labels = images(32)
    narrow, wide = (predict_depth(deep(activation, init, 10, width=width), inputs, labels) for width in (16, 1024))
    assert narrow is not None
    assert wide is not None
    (low, high), (inner_low, inner_high) = narrow.weight_gradient_log10, wide.weight_gradient_log10
    foreseen = (high - low - (inner_high - inner_low)) / 4 / (1 - math.sqrt(16 / 1024))
    gradients = [measure_depth(deep(activation, init, 10, width=16, seed=seed), inputs, labels).weight_gradient_log10 for seed in range(80)]
    measured = np.std(gradients, axis=0)
    assert np.all(measured[:-1] < 2.0 * foreseen[:-1])
    assert measured.max() > 0.5 * foreseen.max()


@pytest.mark.parametrize("init", ["zeros", "constant"])
def test_equal_weights_have_no_mean_field(init: str) -> None:
    assert predict_depth(deep("relu", init, 2), *images(4)) is None


def test_specs_that_cannot_be_are_refused() -> None:
    with pytest.raises(SpecError, match="hidden"):
        gradient_norms_by_depth(depth=101)
    with pytest.raises(SpecError, match="activation"):
        gradient_norms_by_depth(activation="step")


@given(st.lists(st.floats(-8, 8).filter(lambda x: abs(x) > 1e-3), min_size=1, max_size=6), st.integers(-290, 290))
def test_norms_survive_any_exponent(values: list[float], exponent: int) -> None:
    scaled = torch.tensor(values, dtype=torch.float64) * 10.0**exponent
    assert norm_log10(scaled) == pytest.approx(math.log10(math.hypot(*values)) + exponent, abs=1e-9)


def test_norms_of_nothing_and_of_too_much() -> None:
    assert norm_log10(torch.zeros(3)) == -math.inf
    assert norm_log10(torch.tensor([1.0, math.inf])) == math.inf
    assert math.isnan(norm_log10(torch.tensor([1.0, math.nan])))


def test_the_factor_a_layer_is_the_geometric_mean() -> None:
    assert factor_a_layer(np.array([9.0, -8.0, -6.0, -5.0, -2.0])) == pytest.approx(0.01)
    assert math.isnan(factor_a_layer(np.array([0.0, 1.0])))
    assert factor_a_layer(np.array([-math.inf, -math.inf, -3.0, -1.0])) == 0.0
    assert math.isnan(factor_a_layer(np.full(4, -math.inf)))


def test_the_factor_a_layer_of_the_sigmoid_is_what_theory_says() -> None:
    inputs, labels = images()
    spec = deep("sigmoid", "torch_default", 20)
    prediction = predict_depth(spec, inputs, labels)
    assert prediction is not None
    predicted = factor_a_layer(prediction.hidden_gradient_log10)
    assert predicted == pytest.approx(0.25 / math.sqrt(3), rel=0.05)  # σ_w = 1/√3 and hardly any input: nearly the bound of 1/4
    assert factor_a_layer(measure_depth(spec, inputs, labels).hidden_gradient_log10) == pytest.approx(predicted, rel=0.1)
