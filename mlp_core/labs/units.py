"""What single units of a network do: their weights from each other, their activations, and where the value of one comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mlp_core.network import Network

Floats = npt.NDArray[np.floating[Any]]

STRONGEST = 10  # inputs of a unit that are named
PROBE_FLOPS = 30_000_000  # about 1 ms on one core: what one look at a network may cost
MOST_PROBED = 64  # images


@dataclass(frozen=True, slots=True)
class UnitSample:
    """Some units of a network at one moment. Layers are counted from 0, the inputs.

    `activations` has (k,) of each layer sampled, averaged over the inputs; those of the outputs are probabilities. `weights` has
    (k, j) of each layer sampled whose layer below is sampled too: of its k units, from the j below. `probabilities` are those of all
    classes, averaged likewise.
    """

    activations: Mapping[int, Floats]
    weights: Mapping[int, Floats]
    probabilities: Floats


@dataclass(frozen=True, slots=True)
class StrongInput:
    """Unit `source` of the layer below, its activation `x` and the weight `w` that it is multiplied by."""

    source: int
    x: float
    w: float


@dataclass(frozen=True, slots=True)
class UnitValue:
    """Where the value of one unit comes from: `activation` = φ(`weighted_sum` + `bias`), or for an output that sum itself.

    `inputs` are those with the largest |w x|, largest first.
    """

    weighted_sum: float
    bias: float
    activation: float
    inputs: tuple[StrongInput, ...]


def probed_images(network: Network) -> int:
    """How many images a look at the network may be averaged over."""
    weights = sum(weight.numel() for weight, _ in network.weights())
    return max(1, min(MOST_PROBED, PROBE_FLOPS // (2 * weights)))


@torch.no_grad()
def sample_units(network: Network, inputs: Tensor, chosen: Mapping[int, Sequence[int]]) -> UnitSample:
    """Look at the units that are `chosen` of each layer.

    Args:
        network: may be learning on another thread meanwhile: then its layers may be one step apart.
        inputs: (n, d), as the network takes them.
        chosen: layer, counted from 0, the inputs -> indices of its units.
    """
    layers = network.layers(inputs)
    probabilities = layers[-1].activation.double().softmax(dim=1).mean(dim=0)
    means = [inputs.mean(dim=0), *(layer.activation.mean(dim=0) for layer in layers[:-1]), probabilities]
    weights = network.weights()
    return UnitSample(
        activations={layer: _numbers(means[layer][list(units)]) for layer, units in chosen.items()},
        weights={
            above: _numbers(weights[above - 1][0][list(chosen[above])][:, list(chosen[below])])
            for below, above in pairwise(sorted(chosen))
            if above == below + 1
        },
        probabilities=_numbers(probabilities),
    )


@torch.no_grad()
def unit_value(network: Network, image: Tensor, layer: int, unit: int, strongest: int = STRONGEST) -> UnitValue:
    """Follow the value of one unit back to its inputs, for one image (1, d).

    Args:
        layer: from 1, the first hidden one.

    Raises:
        IndexError: there is no such unit.
    """
    weights, layers = network.weights(), network.layers(image)
    if not (1 <= layer <= len(layers) and 0 <= unit < len(weights[layer - 1][1])):
        raise IndexError(f"unit must be one of layers 1 to {len(layers)}, got unit {unit} of layer {layer}")
    x = (image if layer == 1 else layers[layer - 2].activation)[0]
    weight, bias = weights[layer - 1]
    products = (weight[unit] * x).double()
    order = products.abs().nan_to_num(0.0).argsort(descending=True, stable=True)[:strongest].tolist()
    return UnitValue(
        weighted_sum=products.sum().item(),
        bias=bias[unit].item(),
        activation=layers[layer - 1].activation[0, unit].item(),
        inputs=tuple(StrongInput(source, x[source].item(), weight[unit, source].item()) for source in order),
    )


def _numbers(values: Tensor) -> Floats:
    numbers: Floats = values.cpu().numpy()
    return numbers
