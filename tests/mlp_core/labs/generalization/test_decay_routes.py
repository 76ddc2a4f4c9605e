"""For SGD the penalty in the loss is weight decay; for Adam it is not, and torch.optim's own optimizers say the same."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlp_core.labs.generalization.weight_decay import ADAM_LR, Problem, Setting, route_distances
from mlp_core.spec import SpecError

SETTING = Setting(epochs=10)
ROUNDING = 5e-6  # of weights near 3, in float32, over 40 steps


@settings(deadline=None, max_examples=10)
@given(st.floats(0.01, 30), st.integers(0, 1000))
def test_for_sgd_all_three_routes_are_one(decay: float, seed: int) -> None:
    routes = route_distances("sgd", decay, SETTING, seed)
    assert routes.optimizer.max() < ROUNDING
    assert routes.decoupled.max() < ROUNDING
    assert len(routes.optimizer) == 40


def test_for_adam_weight_decay_is_the_penalty_and_decoupling_is_neither() -> None:
    routes = route_distances("adam", 3.0, SETTING, 0)
    assert routes.optimizer.max() < ROUNDING
    assert routes.decoupled.max() > 0.1
    assert routes.norms["optimizer"] == pytest.approx(routes.norms["penalty"], rel=1e-5)
    assert routes.norms["decoupled"] < 0.9 * routes.norms["penalty"]


@pytest.mark.parametrize(
    ("name", "route", "make"),
    [
        ("sgd", "optimizer", lambda w, b: torch.optim.SGD([{"params": w, "weight_decay": 3.0}, {"params": b}], lr=SETTING.lr)),
        ("adam", "optimizer", lambda w, b: torch.optim.Adam([{"params": w, "weight_decay": 3.0}, {"params": b}], lr=ADAM_LR)),
        (
            "adam",
            "decoupled",
            lambda w, b: torch.optim.AdamW([{"params": w, "weight_decay": 3.0}, {"params": b, "weight_decay": 0.0}], lr=ADAM_LR),
        ),
    ],
    ids=["SGD", "Adam", "AdamW"],
)
def test_the_routes_end_where_torchs_own_optimizers_end(name: str, route: str, make) -> None:  # type: ignore[no-untyped-def]
    problem = Problem.draw(SETTING, (2,))
    w = torch.tensor(problem.weights[0], dtype=torch.float32, requires_grad=True)
    b = torch.zeros((), requires_grad=True)
    optimizer = make([w], [b])
    x, y = (torch.tensor(part[0], dtype=torch.float32) for part in (problem.train_x, problem.train_y))
    for order in problem.order[0]:
        for start in range(0, 20, 5):
            chosen = torch.tensor(order[start : start + 5])
            optimizer.zero_grad()
            ((x[chosen] @ w + b - y[chosen]) ** 2 / 2).mean().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    assert route_distances(name, 3.0, SETTING, 2).norms[route] == pytest.approx(float(w.detach().norm()), rel=1e-5)


def test_without_decay_there_is_nothing_to_tell_apart() -> None:
    for name in ("sgd", "adam"):
        routes = route_distances(name, 0.0, Setting(epochs=1), 0)
        np.testing.assert_array_equal(routes.optimizer, 0.0)
        np.testing.assert_array_equal(routes.decoupled, 0.0)


def test_routes_that_diverge_raise_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        routes = route_distances("sgd", 100.0, Setting(lr=0.3), 0)
    assert not routes.norms["penalty"] < 1e3


def test_a_penalty_out_of_bounds_is_refused() -> None:
    with pytest.raises(SpecError, match="weight_decay"):
        route_distances("sgd", -1.0, SETTING, 0)
