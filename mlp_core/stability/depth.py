"""Signal and gradient through the depth of a real network, layer by layer, in one forward and backward pass before training.

In float64, where nothing underflows that theory can follow; in float32 it shows what the computer really gets.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mlp_core.data import load_sample
from mlp_core.expression import resolve
from mlp_core.network import Concise
from mlp_core.spec import OUTPUTS, RunSpec
from mlp_core.theory import Array

TINY_NORM, HUGE_NORM = 1e-140, 1e140  # between them no square that counts leaves the range of float64


@dataclass(frozen=True, slots=True, eq=False)
class DepthReport:
    """A network of L hidden layers on one batch, first layer first. log10 of 0 is -inf; infinities and NaN stay what they are.

    `printed_norm` is what `grad.norm()` says in the arithmetic of the pass: float32 squares 1e-27 to 0, so it prints 0 for a gradient
    that is small but there. `weight_gradient_log10` is the true norm of the same numbers.
    """

    loss: float
    activation_mean: Array  # (L,) over units and images
    activation_std: Array  # (L,)
    activation_rms_log10: Array  # (L,) root mean square
    saturated_fraction: Array  # (L,) of outputs
    dead_fraction: Array  # (L,) of units that put out 0 for every image
    weight_gradient_log10: Array  # (L+1,) |dL/dW_l|, the output layer last
    hidden_gradient_log10: Array  # (L+1,) |dL/dh_l| of the whole batch, l = 0 (the input) .. L
    printed_norm: Array  # (L+1,)


def image_batch(images: Tensor, labels: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """The first `size` images (n, 28, 28) uint8 as float64 pixels 0..1 (size, 784), and their labels."""
    return images[:size].reshape(size, -1).double() / 255.0, labels[:size].clone()


def measure_depth(spec: RunSpec, inputs: Tensor, labels: Tensor, precision: str = "float64") -> DepthReport:
    """One forward and one backward pass of `spec`'s network, as it is before training, without dropout.

    Args:
        inputs: (n, d).
        labels: (n,) int64.
        precision: "float64" or "float32"; the weights are the same float32 numbers in both.
    """
    dtype = {"float64": torch.float64, "float32": torch.float32}[precision]
    activation = resolve(spec.activation)
    network = Concise(spec, (inputs.shape[1], *spec.hidden, OUTPUTS), dtype=dtype)
    x = inputs.detach().clone().to(dtype).requires_grad_()
    layers = network.layers(x)
    outputs = [layer.activation for layer in layers[:-1]]
    loss = network.loss_of(layers[-1].activation, labels)
    gradients = torch.autograd.grad(loss, [x, *outputs, *(layer.weight for layer in layers)])
    hidden_gradients, weight_gradients = gradients[: len(layers)], gradients[len(layers) :]
    with torch.no_grad():
        rows = [output.detach().double() for output in outputs]
        saturated = [activation.saturated(output, spec.activation_parameter) for output in outputs]
        return DepthReport(
            loss=loss.item(),
            activation_mean=numbers(row.mean() for row in rows),
            activation_std=numbers(row.std(correction=0) for row in rows),
            activation_rms_log10=numbers(norm_log10(row) - 0.5 * math.log10(row.numel()) for row in rows),
            saturated_fraction=numbers(mask.double().mean() for mask in saturated),
            dead_fraction=numbers((row == 0).all(dim=0).double().mean() for row in rows),
            weight_gradient_log10=numbers(norm_log10(gradient) for gradient in weight_gradients),
            hidden_gradient_log10=numbers(norm_log10(gradient) for gradient in hidden_gradients),
            printed_norm=numbers(gradient.norm() for gradient in weight_gradients),
        )


def gradient_norms_by_depth(
    activation: str = "sigmoid",
    init: str = "torch_default",
    depth: int = 20,
    width: int = 64,
    *,
    init_std: float = 0.01,
    batch_size: int = 256,
    seed: int = 0,
    precision: str = "float64",
    images: Tensor | None = None,
    labels: Tensor | None = None,
) -> Array:
    """|dL/dW| of every layer of an MLP with `depth` hidden layers, in one pass before training; absolute norms, computed in float64.

    Args:
        activation, init, init_std, seed: as in `RunSpec`.
        images, labels: (n, 28, 28) uint8 and (n,); the bundled Fashion-MNIST sample if absent.

    Returns:
        numpy float64 (depth + 1,), first layer first, output layer last.

    Raises:
        SpecError: a value that `RunSpec` refuses.
    """
    spec = RunSpec(hidden=(width,) * depth, activation=activation, init=init, init_std=init_std, batch_size=batch_size, seed=seed)
    if images is None or labels is None:
        sample = load_sample()
        images, labels = sample.train_images, sample.train_labels
    report = measure_depth(spec, *image_batch(images, labels, batch_size), precision)
    norms: Array = 10.0**report.weight_gradient_log10
    return norms


def norm_log10(values: Tensor) -> float:
    """log10 of the Euclidean norm, of tensors too whose squares would leave the range of their dtype; -inf for 0."""
    norm = torch.linalg.vector_norm(values, dtype=torch.float64).item()
    if TINY_NORM < norm < HUGE_NORM:
        return math.log10(norm)
    exact = values.double()
    largest = exact.abs().max()
    if largest == 0 or not torch.isfinite(largest):
        return float(largest.log10())
    return float(largest.log10() + (exact / largest).norm().log10())


def numbers(values: Iterable[float | Tensor]) -> Array:
    return np.array([float(value) for value in values], dtype=np.float64)
