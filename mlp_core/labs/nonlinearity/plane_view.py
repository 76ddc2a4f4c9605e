"""What a network of two-dimensional points computes, as pictures need it: its output and every hidden unit over the plane.

Reads weights that another thread may be changing: a picture half a step old and half new is still a picture.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mlp_core.labs.nonlinearity.plane import PLANE_EXTENT, inputs
from mlp_core.losses import Loss
from mlp_core.network import Network

Floats = npt.NDArray[np.float64]

FINE, COARSE = 101, 21  # points a side: of the large picture, of a unit's small one


@functools.lru_cache(maxsize=32)
def grid(side: int) -> Floats:
    """The points of a square grid over the plane (side², 2), row by row from the lowest y; the outermost lie on the plane's edge."""
    line = np.linspace(-PLANE_EXTENT, PLANE_EXTENT, side)
    x, y = np.meshgrid(line, line)
    return np.column_stack([x.ravel(), y.ravel()])


@functools.lru_cache(maxsize=32)
def _grid_inputs(side: int, features: tuple[str, ...]) -> Tensor:
    return inputs(grid(side), features)


@torch.no_grad()
def output_field(network: Network, loss: Loss, features: tuple[str, ...]) -> Floats:
    """The network's answer over the plane: probabilities (side, side, classes), or (side, side, 1) for a regression."""
    outputs = network.logits(_grid_inputs(FINE, features))
    answers = outputs if loss.scores is None else loss.scores(outputs).softmax(dim=1)
    return answers.double().numpy().reshape(FINE, FINE, -1)


@torch.no_grad()
def unit_fields(network: Network, features: tuple[str, ...], side: int = COARSE) -> list[Floats]:
    """Every layer's outputs over the plane, (units, side, side) each: the inputs first, the logits last."""
    x = _grid_inputs(side, features)
    layers = [x, *(layer.activation for layer in network.layers(x))]
    return [layer.T.double().numpy().reshape(-1, side, side) for layer in layers]


@torch.no_grad()
def hidden_outputs(network: Network, xy: Floats, features: tuple[str, ...], layer: int) -> Floats:
    """Outputs (n, units) of one hidden layer, the first is 0, for points (n, 2)."""
    outputs: Floats = network.layers(inputs(xy, features))[layer].activation.double().numpy()
    return outputs


def copied_weights(network: Network) -> list[tuple[Floats, Floats]]:
    """Weight (n_out, n_in) and bias (n_out,) of every layer, as they are now."""
    return [(weight.double().numpy().copy(), bias.double().numpy().copy()) for weight, bias in network.weights()]
