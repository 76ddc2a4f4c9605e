"""Symmetric starts and what breaks them: the experiments of d2l section 5.4.1, side by side."""

from dataclasses import dataclass

import torch
from torch import Tensor

from mlp_core.records import HistorySnapshot
from mlp_core.spec import RunSpec
from mlp_core.words import counted

EQUAL_WEIGHT = 0.01
NOISE = 0.001
SAME_WEIGHTS = 1e-4  # relative; pictures of weights that are nearer to each other look the same


@dataclass(frozen=True, slots=True)
class Variant:
    """One start, and what becomes of its symmetry."""

    label: str
    spec: RunSpec
    lesson: str


def variants(units: int, epochs: int, seed: int) -> tuple[Variant, ...]:
    """One hidden layer of equal units, left alone; with dropout; and with weights that differ a little."""
    shared = {"hidden": (units,), "epochs": epochs, "seed": seed}
    return (
        Variant(
            f"All weights {EQUAL_WEIGHT:g}",
            RunSpec(**shared, init="constant", init_value=EQUAL_WEIGHT),  # type: ignore[arg-type]
            "Every unit gets the same gradient: in exact arithmetic all would stay equal, and the layer be worth one unit.",
        ),
        Variant(
            f"All weights {EQUAL_WEIGHT:g}, dropout 0.5",
            RunSpec(**shared, init="constant", init_value=EQUAL_WEIGHT, dropout=(0.5,)),  # type: ignore[arg-type]
            "Each unit misses other images, so their gradients differ from the first step on.",
        ),
        Variant(
            f"All weights {EQUAL_WEIGHT:g}, a little noise of {NOISE:g}",
            RunSpec(**shared, init="constant", init_value=EQUAL_WEIGHT, init_noise=NOISE),  # type: ignore[arg-type]
            "However small, a difference between two units grows: they learn different things.",
        ),
    )


def distinct_units(history: HistorySnapshot) -> tuple[list[int], list[int]]:
    """Steps at which the network was probed, and how many different units its first hidden layer had."""
    return [probe.step for probe in history.probes], [probe.layers[0].distinct_units for probe in history.probes]


def kinds_in_words(spec: RunSpec, steps: list[int], counts: list[int]) -> str:
    """How many kinds of units there are at the last of these steps, and, where nothing but rounding can have parted them, since when.

    Sums over a batch add up in another order where the width of the layer does not fill the processor's vectors, so that equal units get
    gradients that differ in the last bit; training then amplifies the difference, as it would any other.
    """
    kinds = (
        f"**{counted(counts[-1], '{n} kind', '{n} kinds')}** of {counted(spec.hidden[0], '{n} unit', '{n} units')} at step {steps[-1]:,}"
    )
    if any(spec.dropout) or spec.init_noise or counts[0] > 1:
        return f"{kinds}."
    parted = next((step for step, count in zip(steps, counts, strict=True) if count > 1), None)
    if parted is None:
        return f"{kinds}: equal so far. The rounding of float32 can part them, in layers of some widths."
    return f"{kinds}: seen first at step {parted:,}. Nothing but the rounding of float32 has parted them, and training amplified it."


def one_of_each_kind(weights: Tensor, most: int) -> Tensor:
    """Up to `most` units of a layer (units, n_in), first one of each kind, then others in their order."""
    scale = weights.abs().max()
    chosen: list[int] = []
    for index, row in enumerate(weights):
        if len(chosen) == most:
            break
        if not any((row - weights[known]).abs().max() <= SAME_WEIGHTS * scale for known in chosen):
            chosen.append(index)
    rest = [index for index in range(len(weights)) if index not in chosen]
    return weights[torch.tensor((chosen + rest)[:most])]
