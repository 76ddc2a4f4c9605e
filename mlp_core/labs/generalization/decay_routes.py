"""Three ways to shrink weights, and whether they are the same: a penalty in the loss, the optimizer's weight_decay, a decoupled decay.

Each trains the same linear regression on the same batches, with the engine's own optimizers, in float32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from mlp_core.labs.generalization.linear_fit import Floats
from mlp_core.labs.generalization.weight_decay import Problem, Setting
from mlp_core.optimizers import Optimizer
from mlp_core.spec import RunSpec

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
