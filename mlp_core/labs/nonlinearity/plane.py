"""Points in the plane to learn from: shapes to draw them in, the split into training and test, and the inputs made of x and y.

The plane that is shown reaches from −`PLANE_EXTENT` to `PLANE_EXTENT` both ways.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mlp_core.data import Dataset
from mlp_core.losses import Loss
from mlp_core.network import Network
from mlp_core.words import Message

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Drawn = tuple[Floats, npt.NDArray[Any]]

PLANE_EXTENT = 6.0
DISPLACEMENT = 3.0  # standard deviation, in units of the plane, by which a noise of 1 moves a point


@dataclass(frozen=True, eq=False)
class Points:
    """Points with their labels.

    Args:
        xy: (n, 2).
        labels: (n,) classes from 0, or targets where `classes` is 0.
        classes: how many; 0 for a regression.
    """

    xy: Floats
    labels: npt.NDArray[Any]
    classes: int

    def __len__(self) -> int:
        return len(self.xy)

    def __getitem__(self, chosen: npt.NDArray[np.int64]) -> Points:
        return Points(self.xy[chosen], self.labels[chosen], self.classes)

    @property
    def present(self) -> int:
        """How many classes have a point."""
        return len(np.unique(self.labels))


@dataclass(frozen=True, slots=True)
class Shape:
    """One way to scatter points.

    Args:
        label: for a person.
        classes: how many; 0 for a regression.
        draw: (generator, n) -> points (n, 2) and their labels (n,), without noise.
        displacement: how strongly noise moves a point of this shape; of a regression, the target.
    """

    label: str
    classes: int
    draw: Callable[[np.random.Generator, int], Drawn]
    displacement: float = DISPLACEMENT


def points_of(shape: str, n: int, noise: float, seed: int) -> Points:
    """Scatter `n` points. Noise moves them (of a regression: their targets) after they got their labels, by N(0, (displacement · noise)²).

    Args:
        shape: a name in `SHAPES`.
        noise: from 0 to 1.
    """
    entry, rng = SHAPES[shape], np.random.default_rng(seed)
    xy, labels = entry.draw(rng, n)
    if entry.classes:
        xy = xy + rng.normal(scale=entry.displacement * noise, size=xy.shape)
    else:
        labels = labels + rng.normal(scale=entry.displacement * noise, size=n)
    return Points(np.clip(xy, -PLANE_EXTENT, PLANE_EXTENT), labels, entry.classes)


def _uniform(rng: np.random.Generator, n: int, reach: float = 5.0) -> Floats:
    return rng.uniform(-reach, reach, (n, 2))


def _halves(n: int) -> Labels:
    return np.arange(n) % 2


def _xor(rng: np.random.Generator, n: int) -> Drawn:
    xy = _uniform(rng, n)
    xy += np.where(xy > 0, 0.3, -0.3)  # a little room along the axes
    return xy, (xy[:, 0] * xy[:, 1] > 0).astype(np.int64)


def _circle(rng: np.random.Generator, n: int) -> Drawn:
    labels, angle = _halves(n), rng.uniform(0, 2 * math.pi, n)
    radius = np.where(labels == 1, rng.uniform(0, 2.5, n), rng.uniform(3.5, 5, n))
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), labels


def _gaussians(rng: np.random.Generator, n: int) -> Drawn:
    labels = _halves(n)
    return np.where(labels == 1, 2.0, -2.0)[:, None] + rng.normal(scale=0.7, size=(n, 2)), labels


def _arms(count: int, turns: float) -> Callable[[np.random.Generator, int], Drawn]:
    def draw(_rng: np.random.Generator, n: int) -> Drawn:
        labels = np.arange(n) % count
        along = (np.arange(n) // count + 0.5) / math.ceil(n / count)
        angle = 2 * math.pi * (turns * along + labels / count)
        return 5 * along[:, None] * np.column_stack([np.sin(angle), np.cos(angle)]), labels

    return draw


def _moons(rng: np.random.Generator, n: int) -> Drawn:
    labels, angle = _halves(n), rng.uniform(0, math.pi, n)
    upper = np.column_stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25])
    return 3 * np.where(labels[:, None] == 1, upper, -upper), labels


def _checkerboard(rng: np.random.Generator, n: int) -> Drawn:
    xy = _uniform(rng, n)
    return xy, (np.floor(xy / 2.5).sum(axis=1) % 2).astype(np.int64)


def _three_clouds(rng: np.random.Generator, n: int) -> Drawn:
    labels = np.arange(n) % 3
    angle = 2 * math.pi * labels / 3 + math.pi / 2
    return 3 * np.column_stack([np.cos(angle), np.sin(angle)]) + rng.normal(scale=0.7, size=(n, 2)), labels


def _plane(rng: np.random.Generator, n: int) -> Drawn:
    xy = _uniform(rng, n)
    return xy, xy.sum(axis=1) / 10


def _bumps(rng: np.random.Generator, n: int) -> Drawn:
    """Six hills and hollows, ±exp(−‖x − c‖² / 2)."""
    xy = _uniform(rng, n)
    centers = np.array([[-4, 2.5], [0, 2.5], [4, 2.5], [-4, -2.5], [0, -2.5], [4, -2.5]])
    heights = np.array([1, -1, 1, -1, 1, -1])
    squares = ((xy[:, None, :] - centers) ** 2).sum(axis=2)
    return xy, (heights * np.exp(-squares / 2)).sum(axis=1)


SHAPES: dict[str, Shape] = {
    "xor": Shape("XOR", 2, _xor),
    "circle": Shape(Message("Circle"), 2, _circle),
    "gaussians": Shape(Message("Two Gaussians"), 2, _gaussians),
    "spiral": Shape(Message("Spiral"), 2, _arms(2, 1.75), 1.0),
    "moons": Shape(Message("Moons"), 2, _moons),
    "checkerboard": Shape(Message("Checkerboard"), 2, _checkerboard, 1.5),
    "three": Shape(Message("Three Gaussians"), 3, _three_clouds),
    "arms": Shape(Message("Three arms"), 3, _arms(3, 0.8), 1.0),
    "plane": Shape(Message("A plane (regression)"), 0, _plane, 0.5),
    "bumps": Shape(Message("Hills and hollows (regression)"), 0, _bumps, 0.5),
}

# name -> what a person reads, and (x, y) -> the input
FEATURES: dict[str, tuple[str, Callable[[Floats, Floats], Floats]]] = {
    "x": ("x", lambda x, y: x),
    "y": ("y", lambda x, y: y),
    "x2": ("x²", lambda x, y: x**2),
    "y2": ("y²", lambda x, y: y**2),
    "xy": ("xy", lambda x, y: x * y),
    "sinx": ("sin x", lambda x, y: np.sin(x)),
    "siny": ("sin y", lambda x, y: np.sin(y)),
}


def inputs(xy: Floats, features: Sequence[str]) -> Tensor:
    """Points (n, 2) as what the network sees, (n, features) float32."""
    x, y = xy.T
    return torch.from_numpy(np.column_stack([FEATURES[name][1](x, y) for name in features])).float()


def split(points: Points, test_share: float, seed: int) -> tuple[Points, Points]:
    """Training and test points, by a shuffle. Where the share leaves no test point, the training points are both."""
    order = np.random.default_rng([seed, 1]).permutation(len(points))
    tested = round(len(points) * test_share)
    return points[order[tested:]], points[order[:tested] if tested else order]


def dataset(train: Points, test: Points, features: Sequence[str]) -> Dataset:
    """Both sets as a run takes them: inputs (n, features), labels (n,) int64 or targets (n, 1) float32."""

    def labels(points: Points) -> Tensor:
        values = torch.from_numpy(np.array(points.labels))
        return values.long() if points.classes else values.float()[:, None]

    return Dataset(inputs(train.xy, features), labels(train), inputs(test.xy, features), labels(test), source="points in the plane")


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
