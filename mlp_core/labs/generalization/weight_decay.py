"""Weight decay in high dimensions: linear regression with more weights than points, trained for many penalties at once.

d2l, English edition section 3.7, Chinese edition section 4.5: y = 0.05 + Σ 0.01 xᵢ + N(0, 0.01²). The models differ only in their
penalty and their seed, so that one batched product trains them all.

Three ways to shrink weights, and whether they are the same: a penalty in the loss, the optimizer's weight_decay, a decoupled decay. Each
trains the same linear regression on the same batches, with the engine's own optimizers, in float32.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from mlp_core.labs.generalization.linear_fit import Floats, LinearFit
from mlp_core.optimizers import Optimizer
from mlp_core.spec import BOUNDS, Bounds, RunSpec

TRUE_BIAS, TRUE_WEIGHT, NOISE = 0.05, 0.01, 0.01
INPUTS, TEST_COUNT = 200, 100
EDITION_BOUNDS = {
    "lr": Bounds(1e-4, 0.3),
    "epochs": Bounds(1, 300, whole=True),
    "train_count": Bounds(5, 200, whole=True),
    "init_std": Bounds(0.0, 2.0),
}
Penalty = Literal["l2", "l1"]


@dataclass(frozen=True, slots=True)
class Setting:
    """How the models are trained. The defaults are the Chinese edition's.

    Raises:
        SpecError: naming what is out of its bounds.
    """

    lr: float = 0.003
    epochs: int = 100
    init_std: float = 1.0  # of the weights; the bias starts at 0
    train_count: int = 20
    batch_size: int = 5

    def __post_init__(self) -> None:
        for name, bounds in EDITION_BOUNDS.items():
            bounds.check(name, getattr(self, name))


@dataclass(frozen=True, eq=False)
class Problem:
    """Points and beginnings of several seeds: x (seeds, n, d), y (seeds, n), weights (seeds, d), order (seeds, epochs, n)."""

    train_x: Floats
    train_y: Floats
    test_x: Floats
    test_y: Floats
    weights: Floats
    order: np.ndarray[tuple[int, ...], np.dtype[np.int64]]

    @classmethod
    def draw(cls, setting: Setting, seeds: Sequence[int]) -> Problem:
        """The problem of every seed; they share nothing."""
        n, parts = setting.train_count, []
        for seed in seeds:
            rng = np.random.default_rng(seed)
            x = rng.normal(size=(n + TEST_COUNT, INPUTS))
            y = TRUE_BIAS + x @ np.full(INPUTS, TRUE_WEIGHT) + rng.normal(0.0, NOISE, n + TEST_COUNT)
            weights = setting.init_std * rng.normal(size=INPUTS)
            order = np.stack([rng.permutation(n) for _ in range(setting.epochs)])
            parts.append((x[:n], y[:n], x[n:], y[n:], weights, order))
        return cls(*(np.stack(column) for column in zip(*parts, strict=True)))


@dataclass(frozen=True, eq=False)
class Trained:
    """Models of every seed and penalty: weights (seeds, penalties, d), and both losses and the norm of the weights, (seeds, penalties).

    Losses are ½(ŷ − y)², averaged, without the penalty. What diverged is infinite.
    """

    weights: Floats
    train: Floats
    test: Floats
    norm: Floats


@dataclass(frozen=True, eq=False)
class Paths:
    """Both losses and the norm of the weights on the way, each (epochs + 1, seeds, penalties), the beginning first."""

    train: Floats
    test: Floats
    norm: Floats


@dataclass(frozen=True, eq=False)
class Swept:
    """Every λ of both penalties after the last epoch, and of L2 on the way.

    `converged` are test losses (seeds, λ) of L2 trained to the end, `guess` (seeds,) those of the mean as a guess.
    """

    l2: Trained
    l1: Trained
    l2_paths: Paths
    converged: Floats
    guess: Floats


def sweep(setting: Setting, decays: Sequence[float], seeds: Sequence[int]) -> Generator[float, None, Swept]:
    """Train every λ with both penalties, epoch by epoch; yields how much is done, from 0 to 1.

    Raises:
        SpecError: a λ out of bounds.
    """
    measured = []
    for epoch, l2 in enumerate(models(setting, decays, seeds, "l2")):
        measured.append((l2.train, l2.test, l2.norm))  # without the weights, which would be many
        yield epoch / setting.epochs / 2
    for epoch, l1 in enumerate(models(setting, decays, seeds, "l1")):  # noqa: B007 (the last is meant)
        yield (1 + epoch / setting.epochs) / 2
    paths = Paths(*map(np.stack, zip(*measured, strict=True)))
    return Swept(l2, l1, paths, converged(setting, decays, seeds), guessing(setting, seeds))


def models(setting: Setting, decays: Sequence[float], seeds: Sequence[int], penalty: Penalty = "l2") -> Iterator[Trained]:
    """For every λ in `decays`, before training and after every epoch.

    Raises:
        SpecError: a λ out of bounds.
    """
    strengths = np.array([BOUNDS["weight_decay"].check("lambda", decay) for decay in decays])
    problem = Problem.draw(setting, seeds)
    states = _states(setting, problem, strengths[None, :, None], penalty)
    for _ in range(setting.epochs + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            measured = _measure(problem, *next(states))
        yield measured


def _states(setting: Setting, problem: Problem, strength: Floats, penalty: Penalty) -> Iterator[tuple[Floats, Floats]]:
    """Weights (seeds, penalties, d) and biases (seeds, penalties, 1) before training and after every epoch.

    Only the weights are decayed, as in the book. L2: w ← (1 − ηλ)w − ηg, the step on λ/2 ‖w‖². L1: after the step each weight moves by
    ηλ towards 0 and stops there (the proximal step of λ‖w‖₁), so that it can become exactly 0.
    """
    lr, n = setting.lr, setting.train_count
    w = np.repeat(problem.weights[:, None], strength.shape[1], axis=1)
    b = np.zeros((*w.shape[:2], 1))
    seeds = np.arange(len(w))[:, None]
    yield w, b
    for epoch in range(setting.epochs):
        for start in range(0, n, setting.batch_size):
            chosen = problem.order[:, epoch, start : start + setting.batch_size]
            x, y = problem.train_x[seeds, chosen], problem.train_y[seeds, chosen]  # (seeds, batch, d), (seeds, batch)
            error = w @ x.swapaxes(1, 2) + b - y[:, None]  # (seeds, penalties, batch)
            gradient = error @ x / x.shape[1]
            if penalty == "l2":
                w = (1.0 - lr * strength) * w - lr * gradient
            else:
                w = w - lr * gradient
                w = np.sign(w) * np.maximum(np.abs(w) - lr * strength, 0.0)
            b = b - lr * error.mean(axis=2, keepdims=True)
        yield w, b


def _measure(problem: Problem, w: Floats, b: Floats) -> Trained:
    def loss(x: Floats, y: Floats) -> Floats:
        halved = ((w @ x.swapaxes(1, 2) + b - y[:, None]) ** 2).mean(axis=2) / 2
        return np.where(np.isnan(halved), np.inf, halved)

    norm = np.sqrt((w**2).sum(axis=2))
    train, test = loss(problem.train_x, problem.train_y), loss(problem.test_x, problem.test_y)
    return Trained(w, train, test, np.where(np.isnan(norm), np.inf, norm))


def half_square(norm: Floats) -> Floats:
    """‖w‖²/2: what the English edition prints as "L2 norm of w"."""
    return norm**2 / 2


def converged(setting: Setting, decays: Sequence[float], seeds: Sequence[int]) -> Floats:
    """Test losses (seeds, penalties) of L2 trained to the very end, from w = 0: ridge regression, the bias free."""
    problem = Problem.draw(setting, seeds)
    losses = np.empty((len(seeds), len(decays)))
    for row in range(len(seeds)):
        x, y = problem.train_x[row], problem.train_y[row]
        fit = LinearFit.of(x - x.mean(axis=0))
        for column, decay in enumerate(decays):
            w = fit.ridge(y - y.mean(), decay)
            b = y.mean() - x.mean(axis=0) @ w
            losses[row, column] = ((problem.test_x[row] @ w + b - problem.test_y[row]) ** 2).mean() / 2
    return losses


def guessing(setting: Setting, seeds: Sequence[int]) -> Floats:
    """Test losses (seeds,) of a model that has forgotten everything: w = 0, and the mean of the training targets for every point."""
    problem = Problem.draw(setting, seeds)
    losses: Floats = ((problem.train_y.mean(axis=1, keepdims=True) - problem.test_y) ** 2).mean(axis=1) / 2
    return losses


Route = Literal["penalty", "optimizer", "decoupled"]
ADAM_LR = 0.01  # Adam's steps are of about this size, whatever the gradient's


@dataclass(frozen=True, eq=False)
class RouteDistances:
    """How far two routes are from the penalty in the loss, for one optimizer.

    Args:
        optimizer, decoupled: largest |w − w′| over the weights after each step, (steps,).
        norms: ‖w‖ at the end, by route.
    """

    optimizer: Floats
    decoupled: Floats
    norms: dict[str, float]


def route_distances(name: str, decay: float, setting: Setting, seed: int) -> RouteDistances:
    """Train by all three routes with "sgd" at the setting's rate, or "adam" at `ADAM_LR`, and compare after every step.

    Raises:
        SpecError: a λ out of bounds.
    """
    problem = Problem.draw(setting, (seed,))
    spec = RunSpec(optimizer=name, lr=setting.lr if name == "sgd" else ADAM_LR, weight_decay=decay)
    routes: tuple[Route, ...] = ("penalty", "optimizer", "decoupled")
    reference, by_optimizer, decoupled = (_path(route, spec, problem, setting) for route in routes)
    return RouteDistances(
        optimizer=_apart(by_optimizer, reference),
        decoupled=_apart(decoupled, reference),
        norms={route: float(np.linalg.norm(path[-1])) for route, path in zip(routes, (reference, by_optimizer, decoupled), strict=True)},
    )


def _apart(path: Floats, reference: Floats) -> Floats:
    """Largest |w − w′| after each step, (steps,); NaN where both have diverged."""
    with np.errstate(invalid="ignore"):
        distances: Floats = np.abs(path - reference).max(axis=1)
    return distances


def _path(route: Route, spec: RunSpec, problem: Problem, setting: Setting) -> Floats:
    """The weights after every step, (steps, d).

    penalty: autograd of loss + λ/2 ‖w‖². optimizer: λ is the optimizer's own weight_decay. decoupled: w ← (1 − ηλ)w before the step,
    which is AdamW (Loshchilov and Hutter 2019). Only the weight decays, as by d2l's parameter groups.
    """
    plain = RunSpec(optimizer=spec.optimizer, lr=spec.lr)
    w = torch.tensor(problem.weights[0], dtype=torch.float32, requires_grad=True)
    b = torch.zeros((), requires_grad=True)
    optimizers = [Optimizer(spec if route == "optimizer" else plain, [w]), Optimizer(plain, [b])]
    x, y = (torch.tensor(part[0], dtype=torch.float32) for part in (problem.train_x, problem.train_y))
    states: list[Tensor] = []
    for order in torch.from_numpy(problem.order[0]):
        for chosen in order.split(setting.batch_size):
            loss = (x[chosen] @ w + b - y[chosen]).square().mean() / 2
            if route == "penalty":
                loss = loss + spec.weight_decay / 2 * w.square().sum()
            loss.backward()  # type: ignore[no-untyped-call]
            if route == "decoupled":
                with torch.no_grad():
                    w.mul_(1.0 - spec.lr * spec.weight_decay)
            for optimizer in optimizers:
                optimizer.step()
            states.append(w.detach().clone())
    path: Floats = torch.stack(states).double().numpy()
    return path
