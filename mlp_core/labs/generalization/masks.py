"""Dropout looked at closely: single masks, what they average to, and a network that keeps dropping when it should be tested.

The masks are those of the layer that trains, `mlp_core.network.concise.Dropout`. Srivastava et al. 2014; d2l section 5.6.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from mlp_core.expression import resolve
from mlp_core.labs.generalization.linear_fit import Floats
from mlp_core.network.concise import Dropout
from mlp_core.spec import DROPOUT_BOUNDS, RunSpec

MOST_MASKS = 10_000


def dropped(h: Tensor, p: float, seed: int, count: int = MOST_MASKS) -> Tensor:
    """What the layer makes of h (…), mask after mask: (count, …). Fewer masks are the first of the more.

    Raises:
        SpecError: p is no probability.
    """
    DROPOUT_BOUNDS.check("p", p)
    layer = Dropout(p, Generator().manual_seed(seed))
    outputs: Tensor = layer(h.expand(MOST_MASKS, *h.shape))
    return outputs[:count]


def kept(shape: Sequence[int], p: float, seed: int, count: int = MOST_MASKS) -> Tensor:
    """Which units those masks keep, (count, …) bool."""
    return dropped(torch.ones(tuple(shape)), p, seed, count) > 0


def running_means(outputs: Tensor) -> Tensor:
    """Mean of the first 1, 2, … of outputs (count, …), in float64."""
    counts = torch.arange(1, len(outputs) + 1, dtype=torch.float64)
    return outputs.double().cumsum(dim=0) / counts.reshape(-1, *(1,) * (outputs.ndim - 1))


def standard_error(p: float, count: int) -> float:
    """Standard deviation of the mean of `count` masks, of a unit with h = 1: √(p / ((1 − p) count)), since Var h′ = h² p / (1 − p)."""
    return math.sqrt(p / ((1 - p) * count))


def logits_with_masks(weights: Sequence[tuple[Tensor, Tensor]], spec: RunSpec, inputs: Tensor, generator: Generator) -> Tensor:
    """Logits (n, classes) of a network whose dropout was left on, a mask of its own for each of inputs (n, d).

    Args:
        weights: weight (n_out, n_in) and bias (n_out,) of every layer, as `Network.weights` gives them.
        spec: the network's design.
        generator: of the masks: not the run's own, which would train differently after it.
    """
    activation, h = resolve(spec.activation), inputs
    for (weight, bias), p in zip(weights[:-1], spec.dropout or (0.0,) * len(spec.hidden), strict=True):
        h = Dropout(p, generator)(activation(h @ weight.T + bias, spec.activation_parameter))
    weight, bias = weights[-1]
    return h @ weight.T + bias


@dataclass(frozen=True, eq=False)
class Vote:
    """One image seen by many masked copies of a network: probabilities (copies, classes), and those without dropout (classes,)."""

    masked: Floats
    off: Floats

    @property
    def votes(self) -> Floats:
        """How many copies chose each class, (classes,)."""
        return torch.from_numpy(self.masked.argmax(axis=1)).bincount(minlength=self.masked.shape[1]).double().numpy()


@torch.no_grad()
def vote(weights: Sequence[tuple[Tensor, Tensor]], spec: RunSpec, image: Tensor, copies: int, seed: int) -> Vote:
    """Show one image (d,) to `copies` masked copies."""
    masked = logits_with_masks(weights, spec, image.expand(copies, -1), Generator().manual_seed(seed))
    off = logits_with_masks(weights, _without_dropout(spec), image[None], Generator())
    return Vote(masked.double().softmax(dim=1).numpy(), off[0].double().softmax(dim=0).numpy())


@dataclass(frozen=True, slots=True)
class LeftOn:
    """Accuracies on the same images: without dropout, with one mask an image, and by the mean probability of several copies."""

    off: float
    one_mask: float
    copies: float


@torch.no_grad()
def left_on(weights: Sequence[tuple[Tensor, Tensor]], spec: RunSpec, images: Tensor, labels: Tensor, copies: int, seed: int) -> LeftOn:
    """Test a network on images (n, d) with its dropout off, on, and on many times over."""
    generator = Generator().manual_seed(seed)
    off = logits_with_masks(weights, _without_dropout(spec), images, generator)
    masked = torch.stack([logits_with_masks(weights, spec, images, generator).softmax(dim=1) for _ in range(copies)])

    def accuracy(scores: Tensor) -> float:
        return float((scores.argmax(dim=1) == labels).double().mean())

    return LeftOn(accuracy(off), accuracy(masked[0]), accuracy(masked.mean(dim=0)))


def _without_dropout(spec: RunSpec) -> RunSpec:
    return RunSpec(hidden=spec.hidden, activation=spec.activation, activation_parameter=spec.activation_parameter)
