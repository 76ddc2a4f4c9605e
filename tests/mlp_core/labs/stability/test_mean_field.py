"""Predictions against closed forms, scipy's special functions, Gauss-Hermite quadrature and independent simulations."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.integrate
import scipy.special
import torch

from mlp_core.labs.stability.mean_field import RandomLayer, mean_field, softmax_residual


def test_softmax_residual_at_both_ends_and_between() -> None:
    assert softmax_residual(-50.0, 10) == pytest.approx(0.9, abs=1e-9)
    assert softmax_residual(30.0, 10) == pytest.approx(1.8, abs=1e-3)
    q = 3.0  # two classes: p = σ(d) with d ~ N(0, 2q)

    def integrand(d: float) -> float:
        return 1 / (1 + math.exp(-d)) ** 2 * math.exp(-d * d / (4 * q)) / math.sqrt(4 * math.pi * q)

    square, _ = scipy.integrate.quad(integrand, -30, 30)
    assert softmax_residual(math.log(q), 2) == pytest.approx(2 * square, rel=0.01)


def test_mean_field_of_a_linear_network_multiplied_out() -> None:
    layers = [RandomLayer(50, 0.03), RandomLayer(20, 0.001, 0.5), RandomLayer(10, 1e-9)]
    prediction = mean_field(lambda x: x, 7, 0.4, layers, labels=[4, *[3] * 8, 4])
    q1 = 7 * 0.03 * 0.4
    q2 = 50 * 0.001 * q1 + 0.5
    np.testing.assert_allclose(prediction.activation_rms_log10, np.log10(np.sqrt([q1, q2])), atol=1e-6)
    top = 0.9 / 32  # |p - y|² of ten nearly equal outputs
    back = [top * 20 * 1e-9 * 50 * 0.001 * 7 * 0.03, top * 20 * 1e-9 * 50 * 0.001, top * 20 * 1e-9]
    np.testing.assert_allclose(prediction.hidden_gradient_log10, np.log10(np.sqrt(back)), atol=1e-6)
    deltas = [back[1], back[2], top]  # φ' is 1
    sizes = [7 * 0.4, 50 * q1, 20 * q2]
    independent = np.log10(np.sqrt(np.multiply(deltas, sizes)))
    together = 0.9 * (2 * 4**2 + 8 * 3**2) / 32**2  # |Σ (p - y)|² class by class, of the outputs that are nearly equal
    # of the logarithms: (E z⁴/E z²² - 1)/n = 2/n a layer, forward as far as q is the weights', and 2/n a layer on the way back
    from_weights = 50 * 0.001 * q1 / q2
    scatter = np.array([2 / 50 + 2 / 20, 2 / 50 + 2 / 20, from_weights**2 * 2 / 50 + 2 / 20])
    shift, wide = scatter / 4 / math.log(10), 2 * np.sqrt(scatter) / 2 / math.log(10)
    upper = independent - shift + wide + 0.5 * np.log10(together / top)
    np.testing.assert_allclose(prediction.weight_gradient_log10[1], upper, atol=1e-4)
    labels = np.repeat(np.eye(10), [4, *[3] * 8, 4], axis=0)
    alike = np.square((0.1 - labels).sum(axis=0)).sum() / 32**2
    assert alike < top
    lower = independent - shift - wide + 0.5 * np.log10(alike / top)
    np.testing.assert_allclose(prediction.weight_gradient_log10[0], lower, atol=1e-4)
    np.testing.assert_allclose(prediction.chi, [7 * 0.03, 50 * 0.001], rtol=1e-9)


WIDE = 10**12  # units: no scatter to be seen


def test_images_that_pull_independently_are_the_lower_edge_where_labels_are_out_of_balance() -> None:
    prediction = mean_field(torch.relu, 64, 1.0, [RandomLayer(WIDE, 2 / 64), RandomLayer(10, 1e-15)], labels=[40])
    low, high = prediction.weight_gradient_log10
    np.testing.assert_allclose(high - low, 0.5 * math.log10(40), atol=1e-4)  # all one class: all the same way at the upper edge


def test_outputs_that_are_sure_pull_images_of_two_classes_together_too() -> None:
    layers = [RandomLayer(WIDE, 2 / 64), RandomLayer(10, 1e6)]
    low, high = mean_field(torch.relu, 64, 1.0, layers, labels=[20, 20]).weight_gradient_log10
    # one hot against one hot: |p - y|² is 1.8 in the mean, (p - y)·(p - y') is 0.8 if all outputs are the same
    np.testing.assert_allclose(high - low, 0.5 * math.log10((800 * 1.8 + 800 * 0.8) / (40 * 1.8)), atol=2e-3)


def test_he_initialization_keeps_relu_signals_and_gradients_for_any_depth() -> None:
    hidden = [RandomLayer(64, 2 / 64)] * 100
    prediction = mean_field(torch.relu, 64, 1.0, [*hidden, RandomLayer(10, 2 / 64)], labels=[1])
    np.testing.assert_allclose(prediction.activation_rms_log10, 0.0, atol=1e-5)
    np.testing.assert_allclose(prediction.activation_mean, 1 / math.sqrt(math.pi), rtol=1e-5)  # of max(z, 0), z ~ N(0, 2)
    np.testing.assert_allclose(prediction.activation_std, math.sqrt(1 - 1 / math.pi), rtol=1e-5)
    np.testing.assert_allclose(prediction.hidden_gradient_log10, prediction.hidden_gradient_log10[-1], atol=1e-9)


def test_a_dead_signal_is_an_exact_zero() -> None:
    prediction = mean_field(torch.relu, 5, 0.0, [RandomLayer(4, 0.1), RandomLayer(3, 0.1)], labels=[1, 1])
    assert prediction.activation_rms_log10[0] == -math.inf
    assert np.all(prediction.weight_gradient_log10 == -math.inf)
