"""What single layers tell of a run that does not learn as it could: each fault with its evidence and its cure."""

from __future__ import annotations

import math
from statistics import median

from mlp_core.records import LayerStats
from mlp_core.reports.diagnosis import fixes
from mlp_core.reports.diagnosis.verdict import UPDATE, Case, Verdict, joined, percent

MOSTLY = 0.9  # of a layer's units
# Of a layer's outputs. The chapter's networks that learn: up to 0.13 (20 layers of tanh with Xavier); those that saturate: 0.75 to 0.98.
MOST_OUTPUTS = 0.5
LEARNED = 0.3  # an accuracy well above chance
VANISHING_RATIO = 0.02  # the smallest gradient norm of a hidden layer over the output layer's; a healthy d2l network stays above 1

LOOKS = 5  # the last so many decide, since a single step tells little


def lost_signal(case: Case, accuracy: str) -> Verdict | None:
    """Initial weights so small that nothing of the input reaches the output."""
    hidden = case.start[:-1]
    if not hidden or hidden[-1].activation_std > VANISHING_RATIO * hidden[0].activation_std:
        return None
    first, last = hidden[0], hidden[-1]
    if last.activation_std == 0:
        evidence = f"Before training, the units of layer {last.layer} output the same for every image."
    else:
        evidence = (
            f"Before training, outputs spread by {first.activation_std:.1e} in layer 1, by {last.activation_std:.1e} in layer {last.layer}."
        )
    return _vanishing(case, f"Stuck at {accuracy}: the signal vanishes on its way through the layers.", evidence)


def lost_gradient(case: Case, accuracy: str) -> Verdict | None:
    """A gradient that dies between the output and a hidden layer."""
    layers = case.layers
    weakest = min(layers[:-1], key=lambda layer: layer.gradient_norm, default=None)
    if weakest is None or weakest.gradient_norm > VANISHING_RATIO * layers[-1].gradient_norm:
        return None
    evidence = f"|∂L/∂W| is {_norm(weakest.gradient_norm)} in layer {weakest.layer}, {_norm(layers[-1].gradient_norm)} in the output layer."
    return _vanishing(case, f"Stuck at {accuracy}: the gradient vanishes on its way back.", evidence)


def _vanishing(case: Case, sentence: str, evidence: str) -> Verdict:
    fix = fixes.better_start(case.spec)
    advice = f"{fix.label}, or fewer layers." if fix and fix.spec.hidden == case.spec.hidden else "Try fewer layers."
    return Verdict("vanishing", sentence, joined(evidence, small_updates(case)), advice, fix)


def dead(case: Case) -> Verdict | None:
    """A layer whose units have nearly all died."""
    layer = next((layer for layer in case.layers[:-1] if layer.dead_units >= MOSTLY * layer.units), None)
    if layer is None:
        return None
    living = layer.units - layer.dead_units
    if case.accuracy < LEARNED:
        sentence = f"Stuck at {percent(case.accuracy)}: the units of layer {layer.layer} are dead."
    else:
        sentence = f"Worth {living} unit{'' if living == 1 else 's'}: most units of layer {layer.layer} are dead."
    evidence = f"{layer.dead_units} of {layer.units} output 0 on every probe image, and no gradient passes through those."
    advice = "Reset and try a smaller lr, or leaky ReLU, whose gradient is never 0."
    return Verdict("dead", sentence, joined(evidence, large_update(case)), advice, fixes.living_units(case.spec, case.lr))


def saturated(case: Case) -> Verdict | None:
    """A layer whose outputs lie mostly where the activation is flat, from the start or because of the steps."""
    layer = max(case.layers[:-1], key=lambda layer: layer.saturated_fraction, default=None)
    if layer is None or layer.saturated_fraction < MOST_OUTPUTS:
        return None
    before = case.start[layer.layer - 1].saturated_fraction if case.start else 0.0
    born = before >= MOST_OUTPUTS
    if not born and case.accuracy >= LEARNED:
        return None  # a network that is sure of itself saturates too
    where = "Stuck" if case.accuracy < LEARNED else "Held back"
    sentence = f"{where} at {percent(case.accuracy)}: most outputs of layer {layer.layer} are saturated."
    evidence = f"{percent(layer.saturated_fraction, 0)} lie where the activation is flat ({percent(before, 0)} before training)."
    if born:
        fix = fixes.better_start(case.spec)
        return Verdict("saturated", sentence, evidence, f"{fix.label if fix else 'Start'}, with smaller initial weights.", fix)
    fix = fixes.smaller_lr(case.spec, case.lr)
    return Verdict(
        "saturated", sentence, joined(evidence, large_update(case)), "Reset and try a smaller lr: long steps push it there.", fix
    )


def symmetric(case: Case) -> Verdict | None:
    """A layer whose units all compute the same."""
    layer = next((layer for layer in case.layers[:-1] if layer.units > 1 and layer.distinct_units == 1), None)
    if layer is None or layer.dead_units:
        return None
    return Verdict(
        "symmetric",
        f"Worth one unit: all {layer.units} units of layer {layer.layer} compute the same.",
        "Equal weights get equal gradients, so the units stay equal for ever.",
        "Start from random weights, or add dropout, which breaks the symmetry.",
        fixes.random_start(case.spec),
    )


def small_updates(case: Case) -> str:
    """Evidence that the last steps hardly moved the weights; "" where they did, or where nobody looked."""
    ratios = [ratio for look in case.inspections[-LOOKS:] for layer in look.layers if (ratio := layer.update_ratio) is not None]
    finite = [ratio for ratio in ratios if math.isfinite(ratio)]
    if not finite or median(finite) >= UPDATE[0]:
        return ""
    return f"A step changes the weights by {_norm(median(finite))} of their size (median over the layers); about 10⁻³ is healthy."


def large_update(case: Case) -> str:
    """Evidence of the largest step that somebody saw; "" where none was large."""
    found = [
        (layer.update_ratio, look.step, layer.stats)
        for look in case.inspections
        for layer in look.layers
        if layer.update_ratio is not None and math.isfinite(layer.update_ratio)
    ]
    ratio, step, layer = max(found, key=lambda one: one[0], default=(0.0, 0, None))
    if layer is None or ratio < UPDATE[1]:
        return ""
    size = f"{percent(ratio, 0)} of" if ratio < 1 else f"{ratio:.2g} times"
    return f"Step {step:,} changed the weights of {_name(layer, case)} by {size} their size; about 10⁻³ is healthy."


def _name(layer: LayerStats, case: Case) -> str:
    return f"layer {layer.layer}" if layer.layer <= len(case.spec.hidden) else "the output layer"


def _norm(value: float) -> str:
    return "exactly 0" if value == 0 else f"{value:.1e}"
