"""What is said of signal and gradient through depth beside their measurement: prediction, distributions, and one factor a layer."""

import math
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from mlp_core.activations import ACTIVATIONS
from mlp_core.expression import resolve
from mlp_core.initializers import INITIALIZERS
from mlp_core.labs.stability.mean_field import DepthPrediction, RandomLayer, mean_field
from mlp_core.network import Concise
from mlp_core.spec import OUTPUTS, RunSpec
from mlp_core.stability.depth import numbers
from mlp_core.theory import Array

HISTOGRAM_BINS = 64


def factor_a_layer(hidden_gradient_log10: Array) -> float:
    """By how much |dL/dh| is multiplied on its way down one layer, on average from the last hidden layer to the first; NaN for one."""
    last = len(hidden_gradient_log10) - 1
    if last < 2:
        return math.nan
    with np.errstate(invalid="ignore", over="ignore"):  # 0 at both ends leaves no factor to tell
        return float(10.0 ** ((hidden_gradient_log10[1] - hidden_gradient_log10[last]) / (last - 1)))


def sigmoid_bound_log10(layers: int) -> float:
    """log10 of 0.25**layers: no product of that many sigmoid gradients is larger."""
    return layers * math.log10(ACTIVATIONS["sigmoid"].largest_slope)


def gaussian_batch(size: int, inputs: int, seed: int) -> tuple[Tensor, Tensor]:
    """N(0, 1) features (size, inputs) float64 and labels drawn evenly."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(size, inputs, generator=generator, dtype=torch.float64)
    return features, torch.randint(OUTPUTS, (size,), generator=generator)


def output_histograms(spec: RunSpec, inputs: Tensor) -> tuple[Array, Array]:
    """Outputs of the hidden layers in float64: counts (L, HISTOGRAM_BINS) from -largest to +largest, and the largest (L,) each."""
    network = Concise(spec, (inputs.shape[1], *spec.hidden, OUTPUTS), dtype=torch.float64)
    with torch.no_grad():
        outputs = [layer.activation for layer in network.layers(inputs.double())[:-1]]
    counts = np.array([_histogram(output) for output in outputs])
    return counts, numbers(output.abs().max() for output in outputs)


def predict_depth(spec: RunSpec, inputs: Tensor, labels: Tensor) -> DepthPrediction | None:
    """What mean-field theory says of the same network and batch, from the design alone: no weight is looked at.

    Returns:
        None where the weights are not random.
    """
    initializer, activation = INITIALIZERS[spec.init], resolve(spec.activation)
    if not initializer.random:  # every weight is the same number, so nothing averages out
        return None
    sizes = (inputs.shape[1], *spec.hidden, OUTPUTS)
    layers = [
        RandomLayer(n_out, initializer.std(n_in, n_out, spec) ** 2, initializer.bias_std(n_in, n_out, spec) ** 2)
        for n_in, n_out in pairwise(sizes)
    ]
    counts = torch.bincount(labels, minlength=OUTPUTS).tolist()
    mean_square = inputs.detach().double().square().mean().item()
    return mean_field(lambda z: activation(z, spec.activation_parameter), inputs.shape[1], mean_square, layers, counts)


def _histogram(values: Tensor) -> Array:
    largest = float(values.abs().max())
    if not 0.0 < largest < math.inf:
        return np.zeros(HISTOGRAM_BINS)
    counts, _ = np.histogram(values.numpy(), HISTOGRAM_BINS, (-largest, largest))
    return counts.astype(np.float64)
