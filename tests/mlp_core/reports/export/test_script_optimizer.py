"""An optimizer's code moves parameters as torch's own optimizer does, and names the settings that it uses and no others."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from mlp_core.reports.export import notebook_of
from mlp_core.spec import IMPLEMENTATIONS, RunSpec
from tests.support.programs import OPTIMIZER_FIELDS, SMALL, notebook_cells

STEPS = 6
designs = pytest.mark.parametrize("name", OPTIMIZER_FIELDS)


def spec_of(name: str) -> RunSpec:
    return replace(SMALL, **OPTIMIZER_FIELDS[name])


KNOWN = {"momentum", "beta1", "beta2", "rho", "eps", "weight_decay", "l1"}


def code_of(spec: RunSpec, style: str) -> tuple[str, str]:
    """The optimizer, and the lines of the training loop that move the parameters."""
    cells = notebook_cells(notebook_of(spec, style))
    after = re.split(r"loss\.backward\(\)\n|backward\(X, .*\)\n", cells["Training"][1])[1]
    return cells["The optimizer"][1], textwrap.dedent(after.partition("        test_loss, ")[0])


def named_settings(spec: RunSpec) -> set[str]:
    """Settings of the optimizer that a program gives names to."""
    settings = ast.parse(notebook_cells(notebook_of(spec))["Settings"][1])
    return KNOWN & {node.id for node in ast.walk(settings) if isinstance(node, ast.Name)}


def start() -> list[Tensor]:
    """Parameters so small that no design's steps grow, and rounding with them."""
    generator = torch.Generator().manual_seed(1)
    return [torch.empty(shape).uniform_(-1, 1, generator=generator).requires_grad_() for shape in ((3, 4), (4,), (1,))]


def gradients(params: list[Tensor]) -> list[Tensor]:
    """Of the loss Σ w⁴/4 of each parameter."""
    return [w.detach() ** 3 for w in params]


def moved(step: Callable[[int], None], params: list[Tensor]) -> list[Tensor]:
    for t in range(1, STEPS + 1):
        for w, gradient in zip(params, gradients(params), strict=True):
            w.grad = gradient
        step(t)
    return [w.detach() for w in params]


def executed(spec: RunSpec, style: str) -> list[Tensor]:
    params = start()
    names: dict[str, Any] = {name: getattr(spec, name) for name in named_settings(spec)}
    names |= {"torch": torch, "params": params, "batch_size": spec.batch_size, "lr": spec.lr, "net": torch.nn.ParameterList(params)}
    optimizer, lines = code_of(spec, style)
    exec(optimizer, names)

    def step(t: int) -> None:
        exec(lines, names | {"step": t})

    return moved(step, list(names["net"]) if style == "concise" else params)


@designs
def test_from_scratch_it_moves_as_torch_does(name: str) -> None:
    spec = spec_of(name)
    for mine, theirs in zip(executed(spec, "scratch"), executed(spec, "concise"), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-7)
    assert not torch.equal(executed(spec, "scratch")[0], start()[0])


@designs
@pytest.mark.parametrize("style", IMPLEMENTATIONS)
def test_settings_are_those_that_the_code_reads(name: str, style: str) -> None:
    code = "\n".join(code_of(spec_of(name), style))
    read = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    assert read & KNOWN == named_settings(spec_of(name))


def test_the_formula_of_plain_sgd_has_no_momentum() -> None:
    def words(spec: RunSpec) -> str:
        return notebook_cells(notebook_of(spec, "scratch"))["The optimizer"][0]

    assert r"\mu" not in words(SMALL)
    assert r"\mu" in words(replace(SMALL, momentum=0.5))
