"""What `count` predicts that a run takes at its peak, against what PyTorch allocates for it; and a step that would take too long."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from mlp_core.data import Dataset
from mlp_core.expression import compile_expression, resolve
from mlp_core.jobs import MemoryBudgetError, Scheduler, TrainingJob
from mlp_core.network import count
from mlp_core.network.network import images_per_piece
from mlp_core.spec import MAX_STEP_FLOPS, OPERATION_FLOPS, RunSpec, SpecError, weight_count
from mlp_core.training import Run
from mlp_core.training.replicates import Replicates
from tests.support.allocations import peak_bytes

NESTED = "mish(" * 20 + "x" + ")" * 20
PRODUCTS = "*".join(["mish(x)"] * 20)
SLICES = "*".join(f"min(max(x,-{k}),{k})" for k in range(1, 9))
DEEP: dict[str, Any] = {"hidden": (48,) * 3, "batch_size": 512}
WIDE: dict[str, Any] = {"hidden": (256,), "batch_size": 512}
CASES: list[tuple[str, dict[str, Any]]] = [
    (f"={NESTED}", DEEP),
    (f"={NESTED}", WIDE),
    (f"={PRODUCTS}", DEEP),
    (f"={PRODUCTS}", DEEP | {"implementation": "scratch"}),
    (f"={SLICES}", DEEP),
    ("=x*sigmoid(1.702*x)", DEEP),
    ("=x*sigmoid(1.702*x)", WIDE),
    ("=x*sigmoid(1.702*x)", DEEP | {"implementation": "by_hand"}),
    ("=x*sigmoid(1.702*x)", DEEP | {"precision": "bfloat16"}),
    ("=" + "+".join(f"x^{power}" for power in range(2, 14)), WIDE),
    ("=x/(1+abs(x))", WIDE | {"dropout": (0.5,)}),
    ("=1/(1+exp(-x))", DEEP | {"optimizer": "adam"}),
    ("=where(sin(x)>0.5, exp(x), where(x<-1, x*x, tanh(x)))", DEEP),
    ("=(sin(x)*cos(x)+exp(x)*tanh(x))*((x+1)*(x-1)+(x*2)*(x/3))", WIDE),
    ("=sqrt(x*x+1)", DEEP | {"batch_size": 16, "optimizer": "adagrad"}),
    ("=floor(x)", WIDE),
    ("relu", WIDE),
    ("mish", DEEP | {"implementation": "by_hand"}),
    ("prelu", WIDE),
    ("relu", {"hidden": (256, 256), "batch_size": 8, "optimizer": "adamw"}),
    ("relu", {"hidden": (256, 256), "batch_size": 8, "implementation": "scratch", "weight_decay": 0.01}),
]  # fmt: skip


def images(train: int) -> Dataset:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (train + 1000, 28, 28), generator=generator, dtype=torch.uint8)
    labels = torch.arange(train + 1000) % 10
    return Dataset(pixels[:train], labels[:train], pixels[train:], labels[train:])


def spec_of(activation: str, settings: dict[str, Any]) -> RunSpec:
    return RunSpec(activation=activation, epochs=1, lr=1e-5, device="cpu", **settings)


@pytest.mark.parametrize(("activation", "settings"), CASES)
def test_a_run_takes_hardly_more_at_its_peak_than_was_predicted(activation: str, settings: dict[str, Any], tmp_path: Path) -> None:
    spec = spec_of(activation, settings)
    run = Run(spec, images(max(256, 2 * spec.batch_size)))
    run.checkpoints.allow(0)  # which are counted apart

    def train() -> None:
        run.inspections.look()
        run.advance(steps=1)
        run.inspections.look()
        run.advance()

    peak = peak_bytes(train, tmp_path)
    assert run.step >= 2
    predicted = run.counts.training_bytes
    assert predicted / 2 < peak < 1.3 * predicted


def test_five_seeds_take_hardly_more_at_their_peak_than_was_predicted(tmp_path: Path) -> None:
    run = Replicates(spec_of(f"={NESTED}", DEEP | {"batch_size": 128}), images(256), seeds=5)
    job = TrainingJob(run, Scheduler())
    peak = peak_bytes(run.advance, tmp_path)
    assert peak < 1.3 * run.networks * (run.counts.state_bytes + run.counts.activation_bytes) + run.counts.working_bytes
    assert job.memory_bytes == 5 * run.counts.weight_bytes  # it has ended


def test_what_an_expression_keeps_is_part_of_the_memory_that_is_asked_for() -> None:
    data, spec = images(600), spec_of(f"={PRODUCTS}", DEEP)
    asked = count(spec, spec.sizes).training_bytes
    assert asked > 3 * count(replace(spec, activation="relu"), spec.sizes).training_bytes
    TrainingJob(Run(replace(spec, activation="relu"), data), Scheduler(memory_bytes=asked - 1))
    with pytest.raises(MemoryBudgetError, match=f"takes {asked / 1e6:,.0f} MB"):
        TrainingJob(Run(spec, data), Scheduler(memory_bytes=asked - 1))


class TestOperations:
    """Of an expression are counted where a network's are: 29 nested mish on 3,840 units would keep everybody waiting for 17 s."""

    OWN = "=" + "mish(" * 29 + "x" + ")" * 29
    SPEC = RunSpec(hidden=(480,) * 8, activation=OWN, batch_size=4096)

    @pytest.mark.parametrize(
        ("expression", "operations"),
        [("x", 0), ("x+2*3", 1), ("-x", 1), ("x*sigmoid(1.702*x)", 3), ("where(x>0, x, 0.1*x)", 3), ("sinh(x)", 3), (OWN[1:], 29)],
    )
    def test_are_those_that_are_left_when_all_without_x_are_done(self, expression: str, operations: int) -> None:
        assert compile_expression(expression).operations == operations

    def test_take_part_in_the_flops_of_an_image(self) -> None:
        plain = replace(self.SPEC, activation="relu")
        more = count(self.SPEC, self.SPEC.sizes).flops_per_image - count(plain, plain.sizes).flops_per_image
        assert more == 8 * 480 * (29 - 1)

    def test_that_take_too_long_are_refused_with_the_numbers(self) -> None:
        most = MAX_STEP_FLOPS // (6 * weight_count(self.SPEC.sizes) + OPERATION_FLOPS * 29 * 8 * 480)
        assert 256 < most < 1000
        with pytest.raises(SpecError, match=f"batch_size: must be at most {most} .* 29 operations on each of 3,840 units") as caught:
            Run(self.SPEC, images(256))
        assert caught.value.value == 4096
        run = Run(replace(self.SPEC, batch_size=most), images(256))
        with pytest.raises(SpecError, match=f"must be at most {most}"):
            run.change(batch_size=most + 1)
        assert run.settings.batch_size == most

    def test_of_several_seeds_are_done_by_each(self) -> None:
        most = MAX_STEP_FLOPS // (5 * (6 * weight_count(self.SPEC.sizes) + OPERATION_FLOPS * 29 * 8 * 480))
        with pytest.raises(SpecError, match=f"must be at most {most} for 5 networks"):
            Replicates(replace(self.SPEC, batch_size=most + 1), images(256), seeds=5)
        Replicates(replace(self.SPEC, batch_size=most), images(256), seeds=5)

    def test_make_the_pieces_of_a_test_smaller(self) -> None:
        own, mish = (images_per_piece(self.SPEC.sizes, resolve(activation)) for activation in (self.OWN, "mish"))
        assert own < mish / 5
