"""What a history means, in words: a verdict with its evidence. Measures nothing; reads only what was recorded."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from mlp_core.records import EpochRecord, HistorySnapshot, LayerStats, StopReason
from mlp_core.spec import RunSpec

CHANCE = 0.1  # ten classes, equally many images of each
GUESSING_LOSS = math.log(10)
NOTHING = 0.03  # nats; a run that ends so near to the loss of guessing has learned nothing, whatever its accuracy
STUCK_MARGIN = 0.02  # an accuracy this near to chance has learned nothing
ENOUGH_STEPS = 150  # d2l's own network leaves chance after about 60; before that, patience
MOSTLY = 0.9  # of a layer's units
LEARNED = 0.3  # an accuracy well above chance
RECENT_STEPS = 50
FEW_STEPS = 20  # too few to tell a rise from noise
VANISHING_RATIO = 0.02  # the smallest gradient norm of a hidden layer over the output layer's; a healthy d2l network stays above 1
UNSTABLE_RATIO = 1.5  # mean of the recent losses over the best epoch's; noise between minibatches alone stays below 1.2
OVERFITTED_GAP = 0.05  # test loss above its own best, in nats, while the train loss falls on
LASTING = 3  # epochs; the test loss of one or two is noise
BY_HEART = 0.03  # accuracy on the training images above that on the test images; d2l's network stays at 0.02


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
    fault = fault or _unstable(spec, history) or _overfitting(history.epochs)
    return fault or _moving(history, accuracy, ended=stop_reason is not None)


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
    dead = next((layer for layer in layers[:-1] if layer.dead_units >= MOSTLY * layer.units), None)
    peak = _peak(history.accuracies)
    initial = history.probes[0].layers if history.probes else ()
    if peak <= LEARNED and (lost := _lost_signal(spec, percent, initial)) is not None:
        return lost
    if dead is not None:
        return Verdict(
            "dead",
            f"Stuck at {percent}: the units of layer {dead.layer} are dead.",
            f"{dead.dead_units} of {dead.units} output 0 on every probe image, and no gradient passes through those.",
            "Reset and try a smaller lr, or leaky ReLU, whose gradient is never 0.",
        )
    if peak > LEARNED:
        return Verdict(
            "collapsed",
            f"Collapsed to {percent}, which is guessing, after it had reached {_percent(peak, 0)}.",
            "The steps became so large that they threw away what had been learned.",
            f"Reset and try a smaller lr, such as {spec.lr / 10:.2g}.",
        )
    return _lost_gradient(spec, percent, layers) or _symmetric(layers) or _stuck(accuracy, history.losses[-1])


def _stuck(accuracy: float, loss: float) -> Verdict:
    return Verdict(
        "stuck",
        f"Stuck at {_percent(accuracy)}, about as good as guessing.",
        f"The loss is {loss:.3f}; guessing among ten classes costs ln 10 = {GUESSING_LOSS:.3f}.",
        "Try a larger lr, or a smaller one if it is already above 0.5.",
    )


def _lost_signal(spec: RunSpec, percent: str, layers: Sequence[LayerStats]) -> Verdict | None:
    """Initial weights so small that nothing of the input reaches the output."""
    hidden = layers[:-1]
    if not hidden or hidden[-1].activation_std > VANISHING_RATIO * hidden[0].activation_std:
        return None
    first, last = hidden[0], hidden[-1]
    if last.activation_std == 0:
        evidence = f"Before training, the units of layer {last.layer} output the same for every image."
    else:
        evidence = (
            f"Before training, outputs spread by {first.activation_std:.1e} in layer 1, by {last.activation_std:.1e} in layer {last.layer}."
        )
    sentence = f"Stuck at {percent}: the signal vanishes on its way through the layers."
    return Verdict("vanishing", sentence, evidence, f"Try {_better_start(spec)}, or fewer layers.")


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
    if layer is None or layer.dead_units:
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
    calmest = min(history.epochs, key=lambda epoch: epoch.train_loss)
    recent = history.losses[max(bisect_right(history.steps, calmest.step), len(history.losses) - RECENT_STEPS) :]
    if len(recent) < FEW_STEPS:
        return None
    now, best = sum(recent) / len(recent), calmest.train_loss
    if now <= UNSTABLE_RATIO * best or now - best < OVERFITTED_GAP:
        return None
    return Verdict(
        "unstable",
        f"Unstable: the training loss has jumped to {now:.2f}.",
        f"Its mean was {best:.2f} in the best epoch; the steps are too long for where they lead.",
        f"Reset and try a smaller lr, such as {spec.lr / 10:.2g}.",
    )


def _overfitting(epochs: Sequence[EpochRecord]) -> Verdict | None:
    best = min(epochs, key=lambda epoch: epoch.test_loss, default=None)
    if best is None or epochs[-1].epoch < best.epoch + LASTING:
        return None
    now, wobble = epochs[-1], median(abs(after.test_loss - before.test_loss) for before, after in pairwise(epochs))
    rise = min(epoch.test_loss for epoch in epochs[-LASTING:]) - best.test_loss
    by_heart = now.train_accuracy - now.test_accuracy > BY_HEART and now.train_loss < best.train_loss
    if not by_heart or rise < max(OVERFITTED_GAP, wobble):
        return None
    return Verdict(
        "overfitting",
        f"Overfitting since epoch {best.epoch}: the training loss falls, the test loss rises.",
        f"Test loss {best.test_loss:.3f} → {now.test_loss:.3f}, training loss {best.train_loss:.3f} → {now.train_loss:.3f}.",
        "Stop earlier, or try dropout, weight decay or more images.",
    )


def _moving(history: HistorySnapshot, accuracy: float, *, ended: bool) -> Verdict:
    epochs = history.epochs
    if not epochs:
        first, last, where = history.losses[0], history.losses[-1], "Stopped in the first epoch" if ended else "First epoch under way"
        return Verdict("early", f"{where}: the loss went from {first:.2f} to {last:.2f}, {_percent(accuracy, 0)} right.")
    now = epochs[-1]
    right = f"{_percent(now.test_accuracy)} of the test images right after {_epochs(now)}"
    if ended and abs(now.train_loss - GUESSING_LOSS) < NOTHING:
        return _stuck(now.test_accuracy, now.train_loss)
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
