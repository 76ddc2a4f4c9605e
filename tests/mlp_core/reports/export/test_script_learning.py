"""Settings, loss and loop of a program: what is asked for stands there, and the loss is the cross-entropy, also far from 0."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from mlp_core.data import load_sample
from mlp_core.records import SettingChange
from mlp_core.reports.export import Origin, notebook_of
from mlp_core.spec import RunSpec
from mlp_core.training import Run
from tests.support.engine import cross_entropy
from tests.support.programs import SMALL, notebook_cells


def test_the_loss_is_the_cross_entropy() -> None:
    names: dict[str, Any] = {"torch": torch}
    exec(notebook_cells(notebook_of(SMALL, "scratch"))["The loss"][1], names)
    logits = torch.tensor([[1.0, -2.0, 0.5], [1000.0, 0.0, -1000.0], [3.0, 3.0, 3.0]])
    labels = torch.tensor([2, 1, 0])
    expected = cross_entropy(logits.numpy(), labels.numpy()).mean()
    assert names["cross_entropy"](logits, labels).item() == pytest.approx(float(expected), rel=1e-6)
    assert "The loss" not in notebook_cells(notebook_of(SMALL, "concise"))  # which finds it in torch


@pytest.mark.parametrize("hidden", [(9,), (2048,), (1500, 1500)])
def test_the_test_goes_in_parts_as_large_as_the_runs(hidden: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Products of fewer rows may round otherwise."""
    spec = replace(SMALL, hidden=hidden, init="zeros")
    run, seen = Run(spec, load_sample()), list[int]()
    run.prepare()
    network: Any = run.network
    logits = network.logits

    def counted(x: torch.Tensor) -> torch.Tensor:
        seen.append(len(x))
        return torch.as_tensor(logits(x))

    monkeypatch.setattr(network, "logits", counted)
    run.evaluate()
    assert f".split({seen[0]}):" in notebook_cells(notebook_of(spec, "scratch"))["Training"][1]
    assert np.sum(seen) == 1000


def settings(spec: RunSpec, style: str, changes: tuple[SettingChange, ...] = (), origin: Origin = Origin()) -> str:  # noqa: B008 (frozen)
    return notebook_cells(notebook_of(spec, style, changes, origin=origin))["Settings"][1]


def test_a_generator_stands_for_every_purpose_that_is_random() -> None:
    def generators(spec: RunSpec) -> list[str]:
        return [line.partition(" = ")[0] for line in settings(spec, "scratch").splitlines() if "manual_seed" in line]

    assert generators(SMALL) == ["init_numbers", "order_numbers"]
    assert generators(replace(SMALL, dropout=(0.5,))) == ["init_numbers", "order_numbers", "mask_numbers"]
    assert generators(replace(SMALL, dropout=(1.0,))) == ["init_numbers", "order_numbers"]
    assert generators(replace(SMALL, init="zeros")) == ["order_numbers"]


def test_many_changes_of_lr_stand_one_a_line_and_of_several_at_a_step_the_last() -> None:
    changes = tuple(SettingChange(step // 2, "lr", step / 100) for step in range(1, 41))
    names: dict[str, Any] = {"torch": torch, "seed": 0}
    exec(settings(SMALL, "concise", changes), names)
    assert names["lr_changes"] == {0: 0.01, **{step: (2 * step + 1) / 100 for step in range(1, 20)}, 20: 0.4}


def test_one_dnn_is_asked_for_on_the_processor_only() -> None:
    asks = "torch.backends.mkldnn.matmul.fp32_precision"
    assert asks in settings(SMALL, "scratch", (), Origin(onednn=True))
    assert asks not in settings(SMALL, "scratch", (), Origin(onednn=True, device="cuda"))
