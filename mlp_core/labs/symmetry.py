"""Symmetric starts and what breaks them: the experiments of d2l section 5.4.1, side by side."""

from dataclasses import dataclass

from mlp_core.records import HistorySnapshot
from mlp_core.spec import RunSpec

EQUAL_WEIGHT = 0.01
NOISE = 0.001


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
            "Every unit gets the same gradient, so all stay equal for ever: a layer of one unit.",
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
