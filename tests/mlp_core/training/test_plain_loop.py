"""A run is the plain loop that its docstring shows, loss for loss; and it looks its activation up once."""

from __future__ import annotations

import inspect
import textwrap
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mlp_core import expression
from mlp_core.data import load_sample
from mlp_core.expression.operations import Node
from mlp_core.expression.parser import parse
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from mlp_core.training.replicates import Replicates
from tests.support.engine import SPEC, clouds


def loop_in_the_docstring() -> str:
    """The indented block after the docstring's first lines."""
    text = inspect.getdoc(Run) or ""
    lines = [line for line in text.partition("Args:")[0].splitlines() if line.startswith("    ")]
    return textwrap.dedent("\n".join(lines))


def test_the_loop_in_the_docstring_gives_the_losses_of_the_run() -> None:
    data = load_sample()
    run = Run(RunSpec(device="cpu"), data)
    run.advance()
    images = data.train_images.flatten(1).float() * (1 / 255)
    loop: dict[str, Any] = {"torch": torch, "nn": nn, "F": F, "images": images, "labels": data.train_labels}
    exec(loop_in_the_docstring(), loop)
    assert len(loop["losses"]) == run.total_steps == 240
    assert loop["losses"] == [step.loss for step in run.history.steps]


@pytest.mark.parametrize("make", [Run, Replicates])
def test_an_expression_is_parsed_once_a_run(make: type[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def counted(text: str) -> Node:
        parsed.append(text)
        return parse(text)

    monkeypatch.setattr(expression, "parse", counted)
    run = make(RunSpec(hidden=(8,), activation="=x*sigmoid(x)", batch_size=SPEC.batch_size, epochs=1, device="cpu"), clouds())
    run.advance()
    assert parsed == ["x*sigmoid(x)"]
