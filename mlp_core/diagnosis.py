"""What a history means, in words: a verdict with its evidence. Measures nothing; reads only what was recorded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mlp_core.records import EpochRecord, HistorySnapshot, LayerStats, StopReason
from mlp_core.spec import RunSpec

CHANCE = 0.1  # ten classes, equally many images of each
STUCK_MARGIN = 0.02  # an accuracy this near to chance has learned nothing
ENOUGH_STEPS = 150  # d2l's own network leaves chance after about 60; before that, patience
LEARNED = 0.3  # an accuracy well above chance
RECENT_STEPS = 50
VANISHING_RATIO = 0.02  # the smallest gradient norm of a hidden layer over the output layer's; a healthy d2l network stays above 1
UNSTABLE_RATIO = 1.5  # mean of the recent losses over the best epoch's; noise between minibatches alone stays below 1.2
OVERFITTED_GAP = 0.05  # test loss above its own best, in nats, while the train loss falls on


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run is doing.

    `kind` is "waiting", "early", "learning", "learned", "overfitting", "unstable", "symmetric", "stuck", "vanishing", "dead",
    "collapsed", "diverged" or "failed". `sentence` says it, `evidence` gives the number it rests on, `advice` what to try next.
    """

    kind: str
    sentence: str
    evidence: str = ""
    advice: str = ""

    @property
    def is_fault(self) -> bool:
        return self.kind not in ("waiting", "early", "learning", "learned")


def diagnose(spec: RunSpec, history: HistorySnapshot, stop_reason: StopReason | None = None) -> Verdict:
    """Say what a run is doing. The gravest rule that applies decides."""
    if stop_reason is not None and stop_reason.kind == "diverged":
        return _diverged(spec, history, stop_reason)
    if stop_reason is not None and stop_reason.kind in ("out_of_memory", "device_lost", "failed", "abandoned"):
        return Verdict("failed", stop_reason.detail)
    if not history.steps:
        return Verdict("waiting", "Not trained yet.")
    recent = history.accuracies[-RECENT_STEPS:]
    accuracy = sum(recent) / len(recent)
    layers = history.probes[-1].layers if history.probes else ()
    if history.steps[-1] >= ENOUGH_STEPS and abs(accuracy - CHANCE) < STUCK_MARGIN:
        return _at_chance(spec, history, accuracy, layers)
    fault = _symmetric(layers) if history.steps[-1] >= ENOUGH_STEPS else None
    return fault or _unstable(spec, history) or _moving(history, accuracy, ended=stop_reason is not None)


def _diverged(spec: RunSpec, history: HistorySnapshot, reason: StopReason) -> Verdict:
    finite = [loss for loss in history.losses if math.isfinite(loss)]
    evidence = f"The largest finite loss before was {max(finite):.3g}; it started at {finite[0]:.3g}." if finite else ""
    if spec.optimizer == "sgd" and spec.lr > 0.5:
        advice = "Try lr ≤ 0.5."
    elif spec.lr > 1e-4:
        advice = f"Try a smaller lr, such as {spec.lr / 10:.2g}, or smaller initial weights."
    else:
        advice = "Try smaller initial weights, such as He or Xavier."
    return Verdict("diverged", reason.detail, evidence, advice)


def _at_chance(spec: RunSpec, history: HistorySnapshot, accuracy: float, layers: Sequence[LayerStats]) -> Verdict:
    percent = _percent(accuracy)
    dead = next((layer for layer in layers[:-1] if layer.dead_units == layer.units), None)
    peak = _peak(history.accuracies)
    initial = history.probes[0].layers if history.probes else ()
    if peak <= LEARNED and (lost := _lost_signal(spec, percent, initial)) is not None:
        return lost
    if dead is not None:
        return Verdict(
            "dead",
            f"Stuck at {percent}: every unit of layer {dead.layer} outputs 0.",
            f"All {dead.units} units are 0 on every probe image, so no gradient passes through the layer.",
            "Reset and try a smaller lr, or leaky ReLU, whose gradient is never 0.",
        )
    if peak > LEARNED:
        return Verdict(
            "collapsed",
            f"Collapsed to {percent}, which is guessing, after it had reached {_percent(peak, 0)}.",
            "The steps became so large that they threw away what had been learned.",
            f"Reset and try a smaller lr, such as {spec.lr / 10:.2g}.",
        )
    return (
        _lost_gradient(spec, percent, layers)
        or _symmetric(layers)
        or Verdict(
            "stuck",
            f"Stuck at {percent}, which is guessing.",
            f"The loss is {history.losses[-1]:.3f}; guessing among ten classes costs ln 10 = {math.log(10):.3f}.",
            "Try a larger lr, or a smaller one if it is already above 0.5.",
        )
    )


def _lost_signal(spec: RunSpec, percent: str, layers: Sequence[LayerStats]) -> Verdict | None:
    """Initial weights so small that nothing of the input reaches the output."""
    hidden = layers[:-1]
    if not hidden or hidden[-1].activation_std > VANISHING_RATIO * hidden[0].activation_std:
        return None
    evidence = f"Before training, outputs spread by {_norm(hidden[0].activation_std)} in layer 1, by {_norm(hidden[-1].activation_std)} in "
    sentence = f"Stuck at {percent}: the signal vanishes on its way through the layers."
    return Verdict("vanishing", sentence, f"{evidence}layer {hidden[-1].layer}.", f"Try {_better_start(spec)}, or fewer layers.")


def _lost_gradient(spec: RunSpec, percent: str, layers: Sequence[LayerStats]) -> Verdict | None:
    """A gradient that dies between the output and a hidden layer."""
    weakest = min(layers[:-1], key=lambda layer: layer.gradient_norm, default=None)
    if weakest is None or weakest.gradient_norm > VANISHING_RATIO * layers[-1].gradient_norm:
        return None
    evidence = f"|∂L/∂W| is {_norm(weakest.gradient_norm)} in layer {weakest.layer}, {_norm(layers[-1].gradient_norm)} in the output layer."
    sentence = f"Stuck at {percent}: the gradient vanishes on its way back."
    return Verdict("vanishing", sentence, evidence, f"Try {_better_start(spec)}, or fewer layers.")


def _symmetric(layers: Sequence[LayerStats]) -> Verdict | None:
    layer = next((layer for layer in layers[:-1] if layer.units > 1 and layer.distinct_units == 1), None)
    if layer is None:
        return None
    return Verdict(
        "symmetric",
        f"Worth one unit: all {layer.units} units of layer {layer.layer} compute the same.",
        "Equal weights get equal gradients, so the units stay equal for ever.",
        "Start from random weights, or add dropout, which breaks the symmetry.",
    )


def _unstable(spec: RunSpec, history: HistorySnapshot) -> Verdict | None:
    if not history.epochs:
        return None
    recent = history.losses[-RECENT_STEPS:]
    now, best = sum(recent) / len(recent), min(epoch.train_loss for epoch in history.epochs)
    if now <= UNSTABLE_RATIO * best or now - best < OVERFITTED_GAP:
        return None
    return Verdict(
        "unstable",
        f"Unstable: the training loss has jumped to {now:.2f}.",
        f"Its mean was {best:.2f} in the best epoch; the steps are too long for where they lead.",
        f"Reset and try a smaller lr, such as {spec.lr / 10:.2g}.",
    )


def _moving(history: HistorySnapshot, accuracy: float, *, ended: bool) -> Verdict:
    epochs = history.epochs
    if not epochs:
        first, last = history.losses[0], history.losses[-1]
        return Verdict("early", f"First epoch under way: the loss went from {first:.2f} to {last:.2f}, {_percent(accuracy, 0)} right.")
    now = epochs[-1]
    best = min(epochs, key=lambda epoch: epoch.test_loss)
    lasting = now.epoch >= best.epoch + 2  # one epoch's rise is noise
    if lasting and now.test_loss > best.test_loss + OVERFITTED_GAP and now.train_loss < best.train_loss:
        return Verdict(
            "overfitting",
            f"Overfitting since epoch {best.epoch}: the training loss falls, the test loss rises.",
            f"Test loss {best.test_loss:.3f} → {now.test_loss:.3f}, training loss {best.train_loss:.3f} → {now.train_loss:.3f}.",
            "Stop earlier, or try dropout, weight decay or more images.",
        )
    right = f"{_percent(now.test_accuracy)} of the test images right after {_epochs(now)}"
    if ended:
        return Verdict("learned", f"Learned: {right}.", _trend(epochs))
    return Verdict("learning", f"Learning: {right}.", _trend(epochs))


def _trend(epochs: Sequence[EpochRecord]) -> str:
    if len(epochs) < 2:
        return ""
    return f"The training loss went from {epochs[0].train_loss:.3f} in epoch 1 to {epochs[-1].train_loss:.3f} in epoch {epochs[-1].epoch}."


def _epochs(record: EpochRecord) -> str:
    return f"{record.epoch} epoch{'s' if record.epoch > 1 else ''}"


def _percent(fraction: float, digits: int = 1) -> str:
    return f"{100 * fraction:.{digits}f} %"


def _norm(value: float) -> str:
    return "exactly 0" if value == 0 else f"{value:.1e}"


def _better_start(spec: RunSpec) -> str:
    return "Xavier initialization with tanh, or He with ReLU" if spec.activation == "sigmoid" else "He initialization"


def _peak(accuracies: Sequence[float]) -> float:
    """The best mean over `RECENT_STEPS` neighboring steps: one lucky small batch is no peak."""
    window = min(RECENT_STEPS, len(accuracies))
    total = best = sum(accuracies[:window])
    for new, old in zip(accuracies[window:], accuracies, strict=False):
        total += new - old
        best = max(best, total)
    return best / window
