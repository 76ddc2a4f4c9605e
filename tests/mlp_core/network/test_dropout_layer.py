"""The dropout layer, as a module and as a function: its mean and variance, its mask, and the gradient through it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from mlp_core.network import scratch
from mlp_core.network.concise import Dropout


def dropped_by_module(h: Tensor, p: float, seed: int = 0) -> Tensor:
    dropped: Tensor = Dropout(p, torch.Generator().manual_seed(seed))(h)
    return dropped


def dropped_by_function(h: Tensor, p: float, seed: int = 0) -> Tensor:
    return scratch.dropout(h, p, torch.Generator().manual_seed(seed))


DROPOUTS = pytest.mark.parametrize("dropped", [dropped_by_module, dropped_by_function], ids=["concise", "scratch"])


@DROPOUTS
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_expectation_and_has_the_variance_of_its_mask(dropped: Callable[..., Tensor], p: float) -> None:
    n = 200_000
    out = dropped(torch.full((n,), 3.0), p).double().numpy()
    variance = 9 * p / (1 - p)
    assert set(np.unique(out.round(4))) == {0.0, round(3 / (1 - p), 4)}
    assert abs(out.mean() - 3) < 5 * math.sqrt(variance / n)
    assert abs((out == 0).mean() - p) < 5 * math.sqrt(p * (1 - p) / n)
    assert out.var() == pytest.approx(variance, rel=0.05)


@DROPOUTS
def test_the_mask_keeps_what_draws_at_least_p(dropped: Callable[..., Tensor]) -> None:
    drawn = torch.rand(100_000, generator=torch.Generator().manual_seed(3))
    assert torch.equal(dropped(torch.ones(100_000), 0.3, seed=3) > 0, drawn >= 0.3)


@DROPOUTS
def test_dropping_everything_leaves_zeros_and_a_gradient_of_zeros(dropped: Callable[..., Tensor]) -> None:
    h = torch.ones(5, requires_grad=True)
    out = dropped(h, 1.0)
    out.sum().backward()  # type: ignore[no-untyped-call]
    assert out.tolist() == [0.0] * 5
    assert h.grad is not None
    assert h.grad.tolist() == [0.0] * 5


@DROPOUTS
def test_the_gradient_passes_through_the_same_mask(dropped: Callable[..., Tensor]) -> None:
    h = torch.ones(1000, requires_grad=True)
    out = dropped(h, 0.3)
    out.sum().backward()  # type: ignore[no-untyped-call]
    assert h.grad is not None
    assert torch.equal(h.grad, out.detach())
    assert not torch.equal(out.detach(), dropped(h, 0.3, seed=1).detach())


def test_dropout_does_nothing_without_probability_or_in_evaluation() -> None:
    generator = torch.Generator().manual_seed(0)
    before, h = generator.get_state(), torch.ones(5)
    assert Dropout(0.0, generator)(h) is h
    assert Dropout(0.5, generator).eval()(h) is h
    assert torch.equal(before, generator.get_state())
