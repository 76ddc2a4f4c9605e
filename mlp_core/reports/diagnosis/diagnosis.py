"""What a history means, and what single layers tell of it, in words: a verdict with its evidence and its cure."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from mlp_core.records import EpochRecord, HistorySnapshot, LayerStats, StopReason
from mlp_core.reports.diagnosis import fixes
from mlp_core.reports.diagnosis.fixes import Fix
from mlp_core.reports.diagnosis.verdict import RECENT_STEPS, UPDATE, Case, Verdict, joined
from mlp_core.spec import RunSpec
from mlp_core.training.inspection import Inspection
from mlp_core.words import percent

__all__ = ["Verdict", "diagnose"]

CHANCE = 0.1  # ten classes, equally many images of each
GUESSING_LOSS = math.log(10)
NOTHING = 0.03  # nats; a run that ends so near to the loss of guessing has learned nothing, whatever its accuracy
STUCK_MARGIN = 0.02  # an accuracy this near to chance has learned nothing
ENOUGH_STEPS = 150  # d2l's own network leaves chance after about 60; before that, patience
LOUD_START = 5.0  # nats; healthy networks begin at 2.3 to 3.6, those whose initial weights are too large at 12 to 1e5
FAR_TO_GO = 1.0  # nats; above this loss a run with tiny steps is slow, below it it may just have arrived
FEW_STEPS = 20  # too few to tell a rise from noise
UNSTABLE_RATIO = 1.5  # mean of the recent losses over the best epoch's; noise between minibatches alone stays below 1.2
OVERFITTED_GAP = 0.05  # test loss above its own best, in nats, while the train loss falls on
LASTING = 3  # epochs; the test loss of one or two is noise
BY_HEART = 0.03  # accuracy on the training images above that on the test images; d2l's network stays at 0.02
MOSTLY = 0.9  # of a layer's units
# Of a layer's outputs. The chapter's networks that learn: up to 0.13 (20 layers of tanh with Xavier); those that saturate: 0.75 to 0.98.
MOST_OUTPUTS = 0.5
LEARNED = 0.3  # an accuracy well above chance
VANISHING_RATIO = 0.02  # the smallest gradient norm of a hidden layer over the output layer's; a healthy d2l network stays above 1
LOOKS = 5  # the last so many decide, since a single step tells little


def diagnose(
    spec: RunSpec, history: HistorySnapshot, stop_reason: StopReason | None = None, inspections: Sequence[Inspection] = ()
) -> Verdict:
    """Say what a run is doing, and what to try where it is not well. The gravest rule that applies decides.

    Args:
        inspections: what was seen inside it, in the order of the steps; none is fine, and gives less evidence.
    """
    case = Case(spec, history, inspections)
    if stop_reason is not None and stop_reason.kind == "diverged":
        return _diverged(case, stop_reason)
    if stop_reason is not None and stop_reason.kind in ("out_of_memory", "device_lost", "failed", "abandoned"):
        return Verdict("failed", stop_reason.detail)
    if not history.steps:
        return Verdict("waiting", "Not trained yet.")
    patient = history.steps[-1] >= ENOUGH_STEPS
    weighed = patient or (stop_reason is not None and bool(history.epochs))  # a short run that is over is judged by its loss
    if patient and abs(case.accuracy - CHANCE) < STUCK_MARGIN:
        return _at_chance(case)
    fault = symmetric(case) or dead(case) or saturated(case) if patient else None
    fault = fault or _unstable(case) or _overfitting(case) or (_worse_than_guessing(case) if weighed else None)
    fault = fault or (_slow(case) if patient else None)
    return fault or _moving(case, ended=stop_reason is not None)


def _diverged(case: Case, reason: StopReason) -> Verdict:
    finite = [loss for loss in case.history.losses if math.isfinite(loss)]
    evidence = f"The largest finite loss before was {max(finite):.3g}; it started at {finite[0]:.3g}." if finite else ""
    return Verdict("diverged", reason.detail, joined(evidence, large_update(case)), *_calmer(case))


def _calmer(case: Case) -> tuple[str, Fix | None]:
    """Advice and fix for losses beyond all measure: smaller initial weights where they were large from the start, else a smaller lr."""
    if (fix := fixes.lighter_penalty(case.spec)) is not None:
        return f"{fix.label}.", fix
    if not case.history.losses[0] <= LOUD_START and (fix := fixes.random_start(case.spec)) is not None:
        return f"{fix.label}, whose weights are smaller, or a smaller lr.", fix
    fix = fixes.smaller_lr(case.spec, case.lr)
    return f"{fix.label if fix else 'Try a smaller lr'}, or smaller initial weights.", fix


def _at_chance(case: Case) -> Verdict:
    now, peak = percent(case.accuracy), _peak(case.history.accuracies)
    if peak <= LEARNED and (lost := lost_signal(case, now)) is not None:
        return lost
    if (fault := dead(case) or saturated(case)) is not None:
        return fault
    if peak > LEARNED:
        evidence = large_update(case) or "The steps became so large that they threw away what had been learned."
        sentence = f"Collapsed to {now}, which is guessing, after it had reached {percent(peak, 0)}."
        return _too_long_steps(case, "collapsed", sentence, evidence)
    return lost_gradient(case, now) or symmetric(case) or _stuck(case, case.accuracy, case.history.losses[-1])


def _too_long_steps(case: Case, kind: str, sentence: str, evidence: str) -> Verdict:
    fix = fixes.smaller_lr(case.spec, case.lr)
    lr = fix.spec.lr if fix else case.lr / 10
    return Verdict(kind, sentence, evidence, f"Reset and try a smaller lr, such as {lr:.2g}.", fix)


def _stuck(case: Case, accuracy: float, loss: float) -> Verdict:
    fix = fixes.any_movement(case.spec, case.lr)
    guessing = abs(accuracy - CHANCE) < STUCK_MARGIN
    return Verdict(
        "stuck",
        f"Stuck at {percent(accuracy)}, about as good as guessing."
        if guessing
        else f"Hardly moved: {percent(accuracy)} right, but no surer of it than a guess.",
        joined(f"The loss is {loss:.3f}; guessing among ten classes costs ln 10 = {GUESSING_LOSS:.3f}.", small_updates(case)),
        f"{fix.label}." if fix else "Try a larger lr, or a smaller one if it is already above 0.5.",
        fix,
    )


def _worse_than_guessing(case: Case) -> Verdict | None:
    """A loss that nobody would get who knew nothing."""
    losses = case.history.losses
    recent = losses[-min(RECENT_STEPS, math.ceil(len(losses) / 4)) :]  # of a short run not its beginning, which may well be loud
    loss = sum(recent) / len(recent)
    if not loss > UNSTABLE_RATIO * GUESSING_LOSS:
        return None
    sentence = f"Unstable: the training loss is {_nats(loss)}, and guessing costs {GUESSING_LOSS:.2f}."
    evidence = joined(f"It started at {case.history.losses[0]:.3g}.", large_update(case))
    return Verdict("unstable", sentence, evidence, *_calmer(case))


def _slow(case: Case) -> Verdict | None:
    """Steps that somebody saw to be tiny, while there is far to go."""
    still = small_updates(case)
    if not still or case.loss < FAR_TO_GO:
        return None
    fix = fixes.any_movement(case.spec, case.lr)
    sentence = f"Slow: after {case.history.steps[-1]:,} steps the training loss is still {case.loss:.2f}."
    return Verdict("slow", sentence, still, f"{fix.label}." if fix else "Try a larger lr.", fix)


def _unstable(case: Case) -> Verdict | None:
    history = case.history
    if not history.epochs:
        return None
    calmest = min(history.epochs, key=lambda epoch: epoch.train_loss)
    recent = history.losses[max(bisect_right(history.steps, calmest.step), len(history.losses) - RECENT_STEPS) :]
    if len(recent) < FEW_STEPS:
        return None
    now, best = sum(recent) / len(recent), calmest.train_loss
    if now <= UNSTABLE_RATIO * best or now - best < OVERFITTED_GAP:
        return None
    evidence = large_update(case) or "The steps are too long for where they lead."
    sentence = f"Unstable: the training loss has jumped to {_nats(now)}."
    return _too_long_steps(case, "unstable", sentence, f"Its mean was {best:.2f} in the best epoch. {evidence}")


def _overfitting(case: Case) -> Verdict | None:
    epochs = case.history.epochs
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
        fixes.less_overfitting(case.spec),
    )


def _moving(case: Case, *, ended: bool) -> Verdict:
    history, epochs = case.history, case.history.epochs
    if not epochs:
        first, last, where = history.losses[0], history.losses[-1], "Stopped in the first epoch" if ended else "First epoch under way"
        return Verdict("early", f"{where}: the loss went from {first:.2f} to {last:.2f}, {percent(case.accuracy, 0)} right.")
    now = epochs[-1]
    right = f"{percent(now.test_accuracy)} of the test images right after {_epochs(now)}"
    if ended and abs(now.train_loss - GUESSING_LOSS) < NOTHING:
        return _stuck(case, now.test_accuracy, now.train_loss)
    if ended and abs(now.test_accuracy - CHANCE) < STUCK_MARGIN:
        steps = f"{now.step:,} step{'s' if now.step > 1 else ''}"
        return Verdict("early", f"Too short to tell: {right}, which is guessing.", f"These were {steps}; d2l's network needs about 60.")
    if ended:
        return Verdict("learned", f"Learned: {right}.", _trend(epochs))
    return Verdict("learning", f"Learning: {right}.", _trend(epochs))


def _trend(epochs: Sequence[EpochRecord]) -> str:
    if len(epochs) < 2:
        return ""
    return f"The training loss went from {epochs[0].train_loss:.3f} in epoch 1 to {epochs[-1].train_loss:.3f} in epoch {epochs[-1].epoch}."


def _nats(loss: float) -> str:
    return f"{loss:.2f}" if loss < 100 else f"{loss:.3g}"


def _epochs(record: EpochRecord) -> str:
    return f"{record.epoch} epoch{'s' if record.epoch > 1 else ''}"


def _peak(accuracies: Sequence[float]) -> float:
    """The best mean over `RECENT_STEPS` neighboring steps: one lucky small batch is no peak."""
    window = min(RECENT_STEPS, len(accuracies))
    total = best = sum(accuracies[:window])
    for new, old in zip(accuracies[window:], accuracies, strict=False):
        total += new - old
        best = max(best, total)
    return best / window


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
        "Equal weights get equal gradients: the units are equal so far, and only rounding can part them.",
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
