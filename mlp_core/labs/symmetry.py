"""Symmetric starts and what breaks them: the experiments of d2l section 5.4.1, side by side."""

from dataclasses import dataclass

import torch
from torch import Tensor

from mlp_core.records import HistorySnapshot
from mlp_core.spec import RunSpec
from mlp_core.words import Message, count, counted

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
    shared, weight = {"hidden": (units,), "epochs": epochs, "seed": seed}, f"{EQUAL_WEIGHT:g}"
    return (
        Variant(
            Message("All weights {weight}", weight=weight),
            RunSpec(**shared, init="constant", init_value=EQUAL_WEIGHT),  # type: ignore[arg-type]
            Message("Every unit gets the same gradient: in exact arithmetic all would stay equal, and the layer be worth one unit."),
        ),
        Variant(
            Message("All weights {weight}, dropout 0.5", weight=weight),
            RunSpec(**shared, init="constant", init_value=EQUAL_WEIGHT, dropout=(0.5,)),  # type: ignore[arg-type]
            Message("Each unit misses other images, so their gradients differ from the first step on."),
        ),
        Variant(
            Message("All weights {weight}, a little noise of {noise}", weight=weight, noise=f"{NOISE:g}"),
            RunSpec(**shared, init="constant", init_value=EQUAL_WEIGHT, init_noise=NOISE),  # type: ignore[arg-type]
            Message("However small, a difference between two units grows: they learn different things."),
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
    kinds, units = counted(counts[-1], "{n} kind", "{n} kinds"), counted(spec.hidden[0], "{n} unit", "{n} units")
    now = Message("**{kinds}** of {units} at step {step}", kinds=kinds, units=units, step=count(steps[-1]))
    if any(spec.dropout) or spec.init_noise or counts[0] > 1:
        return Message("{now}.", now=now)
    parted = next((step for step, different in zip(steps, counts, strict=True) if different > 1), None)
    if parted is None:
        return Message("{now}: equal so far. The rounding of float32 can part them, in layers of some widths.", now=now)
    return Message(
        "{now}: seen first at step {step}. Nothing but the rounding of float32 has parted them, and training amplified it.",
        now=now, step=count(parted),
    )  # fmt: skip


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
