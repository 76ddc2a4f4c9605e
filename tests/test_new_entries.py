"""An activation, an initializer and an optimizer are one entry each: added here at run time, they can be chosen, trained and taken home."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from mlp_core.activations import ACTIVATIONS, Activation, Code, evaluate
from mlp_core.expression import compile_expression
from mlp_core.initializers import INITIALIZERS, Initializer
from mlp_core.network import NETWORKS
from mlp_core.optimizers import OPTIMIZERS, Optimizer, UpdateRule
from mlp_core.reports.diagnosis.fixes import usual_lr
from mlp_core.reports.export import script_of
from mlp_core.spec import RunSpec, SpecError
from pages.ui.activations import controls
from tests.support.pages.training import chosen
from tests.support.pages.visit import opened, traces, visit
from tests.support.programs import SMALL, carried_out, executed, same_losses, sample_arguments


def _sign_step(optimizer: Optimizer, g: list[Tensor]) -> None:
    (v,) = optimizer.buffers
    torch._foreach_mul_(v, optimizer.spec.rho)
    torch._foreach_add_(v, g)
    torch._foreach_add_(optimizer.parameters, torch._foreach_sign(v), alpha=-optimizer.rate)


def _scratch_sign_step(w: Tensor, g: Tensor, v: Tensor, *, lr: float, t: int, spec: RunSpec) -> None:
    v[...] = spec.rho * v + g
    w -= lr * v.sign()


NEW_ACTIVATION = Activation(
    "squareplus", "Squareplus", lambda x: (x + torch.sqrt(x * x + 4)) / 2, Code("(x + torch.sqrt(x * x + 4)) / 2"),
    r"\frac{x + \sqrt{x^2 + 4}}{2}", r"\frac{1}{2} + \frac{x}{2\sqrt{x^2 + 4}}", "Close to softplus and cheaper.", rectifier=True,
)  # fmt: skip
NEW_INITIALIZER = Initializer(
    "fan_out", "He by outputs", r"W_{ij} \sim \mathcal{N}(0, 2 / n_\mathrm{out})", "He et al. 2015, section 2.2",
    lambda n_in, n_out, spec: math.sqrt(2.0 / n_out), lambda weight, std, spec, generator: weight.normal_(0.0, std, generator=generator),
    "std = math.sqrt(2.0 / n_out)\n{{ W }}.normal_(0.0, std, generator=init_numbers)", suits="rectifiers",
)  # fmt: skip
NEW_OPTIMIZER = UpdateRule(
    "signum", "Signum", r"\mathbf{w} \leftarrow \mathbf{w} - \eta \operatorname{sign} \mathbf{v}", "Bernstein et al. 2018, algorithm 2",
    0.001, {"rho": ""}, lambda spec: {"v": "velocities"}, _sign_step, _scratch_sign_step, "",
    "v gathers the gradients; only its sign counts.", "v[...] = rho * v + g\nw -= {{ lr }} * v.sign()",
)  # fmt: skip
CHOSEN: dict[str, Any] = {"activation": "squareplus", "init": "fan_out", "optimizer": "signum"}
REGISTRIES: dict[str, dict[str, Any]] = {"activation": ACTIVATIONS, "init": INITIALIZERS, "optimizer": OPTIMIZERS}
EACH = pytest.mark.parametrize("field", CHOSEN)


@pytest.fixture(autouse=True)
def entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ACTIVATIONS, NEW_ACTIVATION.name, NEW_ACTIVATION)
    monkeypatch.setitem(INITIALIZERS, NEW_INITIALIZER.name, NEW_INITIALIZER)
    monkeypatch.setitem(OPTIMIZERS, NEW_OPTIMIZER.name, NEW_OPTIMIZER)


def spec_with(*fields: str) -> RunSpec:
    return replace(SMALL, lr=0.003, rho=0.9, weight_decay=0.01, l1=0.001, **{field: CHOSEN[field] for field in fields})


@EACH
def test_it_is_refused_once_it_is_removed(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(REGISTRIES[field], CHOSEN[field])
    with pytest.raises(SpecError, match=f"{field}: must be one of .*, got '{CHOSEN[field]}'"):
        spec_with(field)


@pytest.mark.parametrize("implementation", NETWORKS)
@pytest.mark.parametrize("fields", [("activation",), ("init",), ("optimizer",), tuple(CHOSEN)])
def test_it_trains_and_its_program_prints_the_losses(tmp_path: Path, implementation: str, fields: tuple[str, ...]) -> None:
    spec = replace(spec_with(*fields), implementation=implementation)
    run, program = carried_out(spec), tmp_path / "program.py"
    assert run.history.epochs[-1].train_loss < run.history.epochs[0].train_loss
    exact = implementation != "concise" or "optimizer" not in fields  # PyTorch has no such optimizer, so that its program writes it out
    for style in NETWORKS:
        program.write_text(script_of(spec, style), encoding="utf-8")
        same = exact and style == implementation
        assert same_losses(executed(program, *sample_arguments()).losses, run, tolerance=0.0 if same else 1e-4)


@EACH
def test_a_link_says_it(field: str) -> None:
    spec = spec_with(field)
    assert spec.to_query()[field] == CHOSEN[field]
    assert RunSpec.from_query(spec.to_query()) == (spec, ())


def test_the_training_page_offers_it_and_is_at_it() -> None:
    with visit("pages/train.py") as page:
        opened(page, **CHOSEN)
        assert not page.exception
        shown = {box.label: box.value for box in page.selectbox}
        assert (shown["Activation"], shown["Initialization"], shown["Optimizer"]) == tuple(CHOSEN.values())
        assert "Squareplus" in next(box for box in page.selectbox if box.label == "Activation").options
        assert chosen(page) == RunSpec(**CHOSEN)


def test_the_activations_page_draws_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, controls.__name__)  # which reads the registry as it is imported
    with visit("pages/activations.py") as page:
        opened(page, show="squareplus,relu")
        assert "Squareplus" in traces(page, "activation_curves")


def test_advice_and_expressions_know_it() -> None:
    curve = evaluate("squareplus", torch.linspace(-3, 3, 7))
    assert curve.gradient[3].item() == pytest.approx(0.5)
    torch.testing.assert_close(compile_expression("2*squareplus(x)")(curve.x), 2 * curve.value)
    assert usual_lr(RunSpec(optimizer="signum")) == 0.001
