"""Both implementations of every update rule print torch.optim's numbers, and those of closed forms where there are any."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mlp_core.optimizers import OPTIMIZERS, Optimizer
from mlp_core.spec import RunSpec

Make = Callable[[RunSpec, Sequence[Tensor]], Optimizer]


def from_scratch(spec: RunSpec, parameters: Sequence[Tensor]) -> Optimizer:
    return Optimizer(replace(spec, implementation="scratch"), parameters)


BOTH = pytest.mark.parametrize("make", [Optimizer, from_scratch], ids=["fused", "scratch"])
SHAPES = ((4, 3), (3,), ())  # weight, bias, alpha
STEPS = 100
RELATIVE = {torch.float64: 1e-10, torch.float32: 2e-4}

SPECS = {
    "sgd": RunSpec(lr=0.1),
    "sgd decayed": RunSpec(lr=0.1, weight_decay=0.02),
    "sgd momentum": RunSpec(lr=0.05, momentum=0.9),
    "sgd momentum decayed": RunSpec(lr=0.05, momentum=0.9, weight_decay=0.02),
    "sgd nesterov": RunSpec(lr=0.05, momentum=0.9, nesterov=True),
    "sgd nesterov decayed": RunSpec(lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.02),
    "sgd divided": RunSpec(lr=30.0, divide_by_batch=True, momentum=0.5, weight_decay=0.02),
    "adam": RunSpec(optimizer="adam", lr=0.01),
    "adam decayed": RunSpec(optimizer="adam", lr=0.01, weight_decay=0.02),
    "adam large eps": RunSpec(optimizer="adam", lr=0.01, eps=0.5),
    "adam no averages": RunSpec(optimizer="adam", lr=0.01, beta1=0.0, beta2=0.0),
    "adamw": RunSpec(optimizer="adamw", lr=0.01, weight_decay=0.1),
    "adamw large eps": RunSpec(optimizer="adamw", lr=0.01, weight_decay=0.1, eps=0.5),
    "rmsprop": RunSpec(optimizer="rmsprop", lr=0.01),
    "rmsprop momentum": RunSpec(optimizer="rmsprop", lr=0.01, momentum=0.9, weight_decay=0.02),
    "rmsprop large eps": RunSpec(optimizer="rmsprop", lr=0.01, eps=0.5),
    "adagrad": RunSpec(optimizer="adagrad", lr=0.1),
    "adagrad large eps": RunSpec(optimizer="adagrad", lr=0.1, weight_decay=0.02, eps=0.5),
}


def torchs_own(spec: RunSpec, parameters: list[Tensor]) -> torch.optim.Optimizer:
    lr = spec.lr / spec.batch_size if spec.divide_by_batch else spec.lr
    common: dict[str, Any] = {"lr": lr, "weight_decay": spec.weight_decay}
    adam = {**common, "betas": (spec.beta1, spec.beta2), "eps": spec.eps}
    makers: dict[str, Callable[[], torch.optim.Optimizer]] = {
        "sgd": lambda: torch.optim.SGD(parameters, **common, momentum=spec.momentum, nesterov=spec.nesterov),
        "adam": lambda: torch.optim.Adam(parameters, **adam),
        "adamw": lambda: torch.optim.AdamW(parameters, **adam),
        "rmsprop": lambda: torch.optim.RMSprop(parameters, **common, alpha=spec.rho, eps=spec.eps, momentum=spec.momentum),
        "adagrad": lambda: torch.optim.Adagrad(parameters, **common, eps=spec.eps),
    }
    return makers[spec.optimizer]()


def start(dtype: torch.dtype) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=generator, dtype=dtype).requires_grad_() for shape in SHAPES]


def give_gradients(parameters: Sequence[Tensor], seed: int) -> None:
    """A noisy pull towards 1 that is stronger for some weights than for others, so that every rule scales them differently."""
    generator = torch.Generator().manual_seed(seed)
    for w in parameters:
        scale = torch.logspace(-2, 1, w.numel(), dtype=w.dtype).reshape(w.shape)
        noise = torch.randn(w.shape, generator=generator, dtype=torch.float64).to(w.dtype)
        w.grad = scale * (w.detach() - 1) + 0.1 * noise


def trajectories(make: Make, spec: RunSpec, dtype: torch.dtype, steps: int = STEPS) -> tuple[list[Tensor], list[Tensor]]:
    mine, theirs = start(dtype), start(dtype)
    optimizer, oracle = make(spec, mine), torchs_own(spec, theirs)
    for seed in range(steps):
        give_gradients(mine, seed)
        give_gradients(theirs, seed)
        optimizer.step()
        oracle.step()
    return mine, theirs


@BOTH
@pytest.mark.parametrize("dtype", RELATIVE, ids=["float64", "float32"])
@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_the_numbers_are_torchs_own(make: Make, spec: RunSpec, dtype: torch.dtype) -> None:
    mine, theirs = trajectories(make, spec, dtype)
    assert any((w - before).abs().max() > 0.1 for w, before in zip(mine, start(dtype), strict=True))  # it went somewhere
    torch.testing.assert_close(mine, theirs, rtol=RELATIVE[dtype], atol=RELATIVE[dtype])


@st.composite
def specs(draw: st.DrawFn) -> RunSpec:
    optimizer = draw(st.sampled_from(list(OPTIMIZERS)))
    momentum = draw(st.floats(0, 0.99)) if optimizer in ("sgd", "rmsprop") else 0.0
    return RunSpec(
        optimizer=optimizer,
        lr=draw(st.floats(1e-5, 0.1)),
        momentum=momentum,
        nesterov=draw(st.booleans()) if optimizer == "sgd" and momentum else False,
        beta1=draw(st.floats(0, 0.9999)),
        beta2=draw(st.floats(0, 0.99999)),
        rho=draw(st.floats(0, 0.9999)),
        eps=draw(st.floats(1e-8, 1.0)),
        weight_decay=draw(st.floats(0, 1.0)),
        divide_by_batch=draw(st.booleans()) if optimizer == "sgd" else False,
        batch_size=draw(st.integers(1, 512)),
    )


@BOTH
@settings(max_examples=60, deadline=None)
@given(spec=specs())
def test_the_numbers_are_torchs_own_for_any_setting(make: Make, spec: RunSpec) -> None:
    mine, theirs = trajectories(make, spec, torch.float64, steps=8)
    torch.testing.assert_close(mine, theirs, rtol=1e-7, atol=1e-9)


def test_every_entry_is_complete() -> None:
    assert all(name == rule.name and rule.label and rule.latex and rule.reference for name, rule in OPTIMIZERS.items())


def one_weight(value: float, gradient: float) -> Tensor:
    w = torch.tensor([value], dtype=torch.float64, requires_grad=True)
    w.grad = torch.tensor([gradient], dtype=torch.float64)
    return w


@BOTH
def test_gradient_descent_on_a_parabola_shrinks_by_a_constant_factor(make: Make) -> None:
    w = one_weight(2.0, 0.0)
    optimizer = make(RunSpec(lr=0.25), [w])
    for _ in range(5):
        w.grad = w.detach().clone()  # of w²/2
        optimizer.step()
    assert w.item() == 2.0 * 0.75**5


@BOTH
@pytest.mark.parametrize("gradient", [1e-3, -1.0, 1e3])
def test_adams_first_step_is_the_learning_rate_whatever_the_gradient(make: Make, gradient: float) -> None:
    w = one_weight(0.0, gradient)
    make(RunSpec(optimizer="adam", lr=0.01, eps=1e-12), [w]).step()
    assert w.item() == pytest.approx(-0.01 * (1 if gradient > 0 else -1), rel=1e-8)


@BOTH
def test_adagrads_steps_shrink_like_the_root_of_time(make: Make) -> None:
    w = one_weight(0.0, 0.0)
    optimizer = make(RunSpec(optimizer="adagrad", lr=0.1, eps=1e-12), [w])
    for _ in range(4):
        w.grad = torch.tensor([3.0], dtype=torch.float64)
        optimizer.step()
    assert w.item() == pytest.approx(-0.1 * (1 + 2**-0.5 + 3**-0.5 + 4**-0.5), rel=1e-9)


@BOTH
def test_adamw_shrinks_the_weight_and_adam_the_gradient(make: Make) -> None:
    w = one_weight(1.0, 0.0)
    make(RunSpec(optimizer="adamw", lr=0.1, weight_decay=0.5), [w]).step()
    assert w.item() == pytest.approx(1 - 0.1 * 0.5)
    w = one_weight(1.0, 0.0)
    make(RunSpec(optimizer="adam", lr=0.1, weight_decay=0.5), [w]).step()
    assert w.item() == pytest.approx(1 - 0.1)  # the decay is all of the gradient, and Adam forgets its size


@BOTH
def test_the_older_editions_trap_divides_the_rate_by_the_batch_size(make: Make) -> None:
    w = one_weight(0.0, 1.0)
    make(RunSpec(lr=100.0, divide_by_batch=True), [w]).step()
    assert w.item() == pytest.approx(-100 / 256)


@BOTH
def test_a_new_learning_rate_counts_from_the_next_step(make: Make) -> None:
    w = one_weight(0.0, 1.0)
    optimizer = make(RunSpec(lr=0.5), [w])
    optimizer.step()
    optimizer.lr, w.grad = 0.25, torch.ones_like(w)
    optimizer.step()
    assert w.item() == -0.75


@BOTH
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_lets_go_of_the_gradients_and_a_missing_one_counts_as_zero(make: Make, name: str) -> None:
    w, still = one_weight(1.0, 1.0), one_weight(1.0, 0.0)
    still.grad = None
    make(RunSpec(optimizer=name, lr=0.1), [w, still]).step()
    assert w.grad is None
    assert w.item() < 1.0
    assert still.item() == 1.0


@BOTH
@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_restored_optimizer_goes_on_exactly(make: Make, spec: RunSpec) -> None:
    parameters = start(torch.float32)
    optimizer = make(spec, parameters)

    def run(first: int, last: int) -> None:
        for seed in range(first, last):
            give_gradients(parameters, seed)
            optimizer.step()

    run(0, 5)
    saved, saved_parameters = optimizer.state(), [w.detach().clone() for w in parameters]
    run(5, 10)
    expected = [w.detach().clone() for w in parameters]
    optimizer.lr = 17.0
    with torch.no_grad():
        for w, value in zip(parameters, saved_parameters, strict=True):
            w.copy_(value)
    optimizer.load_state(saved)
    assert (optimizer.t, optimizer.lr) == (5, spec.lr)
    run(5, 10)
    assert all(torch.equal(w, value) for w, value in zip(parameters, expected, strict=True))


@pytest.mark.parametrize(
    ("spec", "kept"),
    [(SPECS["sgd"], 0), (SPECS["sgd momentum"], 1), (SPECS["adam"], 2), (SPECS["rmsprop"], 1), (SPECS["rmsprop momentum"], 2)],
)
def test_it_keeps_only_the_buffers_that_its_rule_needs(spec: RunSpec, kept: int) -> None:
    assert len(Optimizer(spec, start(torch.float32)).buffers) == kept
    assert len(Optimizer(replace(spec, weight_decay=0.1), start(torch.float32)).buffers) == kept


def test_training_imports_no_compiler() -> None:
    """The reason for this module: a first torch.optim object would bring torch._dynamo and sympy."""
    program = """
import sys, torch
from mlp_core.network import NETWORKS
from mlp_core.optimizers import OPTIMIZERS, Optimizer
from mlp_core.spec import RunSpec
for name in OPTIMIZERS:
    for implementation in NETWORKS:
        spec = RunSpec(hidden=(3,), optimizer=name, dropout=(0.5,), implementation=implementation)
        network = NETWORKS[implementation](spec, (4, 3, 2))
        optimizer = Optimizer(spec, network.parameters())
        network.backward(network.loss(torch.ones(5, 4), torch.zeros(5, dtype=torch.int64))[0])
        optimizer.step()
print([name for name in ("torch._dynamo", "sympy") if name in sys.modules])
"""
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
