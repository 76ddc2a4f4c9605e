"""Mean-field theory: the variance of signal and gradient through a deep random network."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mlp_core.theory.expectations import Array, Function, gaussian_moments, log_expectations

SOFTMAX_DRAWS = 4096
SETTLED = 1e-12  # a change of ln q that moves no picture
DEVIATIONS = 2.0  # 95 % of a normal distribution
LOG_Q_STEP = 1e-3  # between two ln q whose difference tells a slope, or makes no difference to a scatter


@dataclass(frozen=True, slots=True)
class RandomLayer:
    """What theory needs to know of a layer with random weights: its width, and the variance of one weight into it and of one bias."""

    units: int
    weight_variance: float
    bias_variance: float = 0.0


@dataclass(frozen=True, slots=True)
class DepthPrediction:
    """Mean-field values of an MLP with L hidden layers, first layer first; log10 of absolute sizes, -inf for 0.

    `weight_gradient_log10` (2, L+1) spans what a batch of these labels can do. At the upper edge images with one label pull the same way,
    others not against them. At the lower edge the images pull independently; or, where that is less, they are all alike to the network,
    so that only what the labels are out of balance is left. Both edges are `DEVIATIONS` standard deviations further out, by which networks
    of this width scatter.
    """

    activation_mean: Array  # (L,)
    activation_rms_log10: Array  # (L,) root mean square of h_l
    hidden_gradient_log10: Array  # (L+1,) |dL/dh_l| of the whole batch, l = 0 (the input) .. L
    weight_gradient_log10: Array  # (2, L+1) |dL/dW_l|, the output layer last
    chi: Array  # (L,) σ_w² E[φ'(z_l)²], which multiplies the squared gradient at layer l

    @property
    def activation_std(self) -> Array:
        """(L,) standard deviation of h_l over units and images."""
        variance: Array = np.power(10.0, 2.0 * self.activation_rms_log10) - np.square(self.activation_mean)
        return np.sqrt(np.maximum(variance, 0.0))


def mean_field(
    function: Function, inputs: int, input_mean_square: float, layers: Sequence[RandomLayer], labels: Sequence[int]
) -> DepthPrediction:
    """Signal and gradient of a wide random MLP with softmax and mean cross-entropy, before training.

    Formula: q_l = n_{l-1} s_l² E[φ(z_{l-1})²] + b_l², z_l ~ N(0, q_l);
        |dL/dh_{l-1}|² = |dL/dh_l|² n_{l-1} s_l² E[φ'(z_l)²], so χ_l < 1 vanishes and χ_l > 1 explodes;
        |dL/dW_l|² = Σ_ij (δ_i·δ_j)(h_i·h_j) over the images i, j, where (p_i - y_i)·(p_j - y_j) is in the mean r = E|p - y|² for i = j,
        and else, in K classes, from -1/K on for two labels, from 1 - 1/K on for one label, up to r - 1 and r.

    Args:
        inputs: number of input features.
        input_mean_square: their mean square over features and images.
        layers: hidden layers, then the output layer.
        labels: images of each class among those over which the loss is averaged.

    Reference: Poole et al. (2016), section 2; Schoenholz et al. (2017), section 3.
    """
    fan_ins = (inputs, *(layer.units for layer in layers[:-1]))
    log_mean_squares, means, log_slopes, log_qs, shares = [_log(input_mean_square)], [], [], [], []
    log_q, settled, moments = -math.inf, math.nan, None
    for index, (layer, fan_in) in enumerate(zip(layers, fan_ins, strict=True)):
        log_weighted = _log(fan_in * layer.weight_variance) + log_mean_squares[-1]
        log_q = float(np.logaddexp(log_weighted, _log(layer.bias_variance)))
        log_qs.append(log_q)
        shares.append(math.exp(log_weighted - log_q) if math.isfinite(log_q) else 1.0)
        if index < len(layers) - 1:
            if moments is None or not abs(log_q - settled) < SETTLED:  # -inf settles nothing
                settled, moments = log_q, gaussian_moments(function, np.array([log_q]))
            means.append(float(moments.mean[0]))
            log_mean_squares.append(float(moments.log_mean_square[0]))
            log_slopes.append(float(moments.log_slope_square[0]))
    log_delta = np.empty(len(layers))  # ln |dL/dz_l|²
    log_hidden = np.empty(len(layers))  # ln |dL/dh_l|², l = 0 .. L
    batch, alike, residual = sum(labels), sum(count * count for count in labels), softmax_residual(log_q, layers[-1].units)
    log_delta[-1] = math.log(residual / batch)
    for index in reversed(range(len(layers))):
        log_hidden[index] = log_delta[index] + _log(fan_ins[index] * layers[index].weight_variance)
        if index:
            log_delta[index - 1] = log_hidden[index] + log_slopes[index - 1]
    log_weight = log_delta + np.log(fan_ins) + np.array(log_mean_squares)  # of images that pull independently
    scatter = _scatter(function, np.array(log_qs[:-1]), np.array(shares[:-1]), np.array(fan_ins[1:]))
    scatter = np.where(np.isfinite(log_weight), scatter, 0.0)
    center, wide = log_weight - scatter / 2, DEVIATIONS * np.sqrt(scatter)  # of a log-normal variate with the mean e^log_weight
    imbalance = (alike - batch - batch * (batch - 1) / layers[-1].units) / (batch * residual)
    together = (alike + (batch * batch - alike) * max(0.0, 1.0 - 1.0 / residual)) / batch
    half = 0.5 / math.log(10.0)  # from the natural logarithm of a square to log10
    chi = [_log(fan_in * layer.weight_variance) + slope for layer, fan_in, slope in zip(layers, fan_ins, log_slopes, strict=False)]
    return DepthPrediction(
        np.array(means),
        half * np.array(log_mean_squares[1:]),
        half * log_hidden,
        half * np.stack([center - wide + _log(1.0 + min(0.0, imbalance)), center + wide + math.log(together)]),
        np.exp(np.array(chi)),
    )


def _scatter(function: Function, log_q: Array, shares: Array, units: Array) -> Array:
    """Variance (L+1,) of ln |dL/dW_l|² over networks of finite width, were all images of the batch alike; NaN where it is infinite.

    Formula: |h_l|² is a mean over n_l units, which adds (E[φ⁴]/E[φ²]² - 1)/n_l to the variance of its logarithm; what it had before it
        keeps as far as E[φ²] follows q. On its way back the gradient adds (3 E[φ'⁴]/E[φ'²]² - 1)/n_l a layer.

    Args:
        log_q: (L,) ln q of the hidden layers.
        shares: (L,) of q that comes from the weights.
        units: (L,).

    Reference: Hanin (2018), Which neural net architectures give rise to exploding and vanishing gradients?, theorem 1, for ReLU.
    """

    def quantities(value: Tensor, slope: Tensor) -> Sequence[Tensor]:
        log_value, log_slope = value.abs().log(), slope.abs().log()
        return 2 * log_value, 4 * log_value, 2 * log_slope, 4 * log_slope

    known, which = np.unique(np.round(log_q / LOG_Q_STEP) * LOG_Q_STEP, return_inverse=True)
    logs, _ = log_expectations(function, np.concatenate([known, known + LOG_Q_STEP]), quantities)
    here, further = logs[: len(known)][which], logs[len(known) :][which]
    with np.errstate(over="ignore", invalid="ignore"):
        signal = np.expm1(here[:, 1] - 2 * here[:, 0]) / units
        gradient = (3 * np.exp(here[:, 3] - 2 * here[:, 2]) - 1) / units
        follows = shares * (further[:, 0] - here[:, 0]) / LOG_Q_STEP
        below = [0.0]
        for own, follow in zip(signal, follows, strict=True):
            below.append(follow * follow * below[-1] + own)
        scatter: Array = np.array(below) + np.append(np.cumsum(gradient[::-1])[::-1], 0.0)
    return np.where(np.isfinite(scatter), scatter, math.nan)


def softmax_residual(log_q: float, classes: int) -> float:
    """E|p - y|² of softmax outputs p against a label y independent of them, for logits ~ N(0, q).

    Formula: 1 - 2/classes + E Σp²; 0.9 for ten classes and tiny logits, 1.8 for huge ones. By `SOFTMAX_DRAWS` fixed draws (0.3 %).
    """
    q = math.exp(min(log_q, 600.0))
    logits = torch.as_tensor(np.random.default_rng(0).standard_normal((SOFTMAX_DRAWS, classes))) * math.sqrt(q)
    return 1.0 - 2.0 / classes + float(torch.softmax(logits, dim=1).square().sum(dim=1).mean())


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf
