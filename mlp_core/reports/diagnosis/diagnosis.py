"""What a history means, in words: a verdict with its evidence and its cure."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from mlp_core.records import EpochRecord, HistorySnapshot, StopReason
from mlp_core.reports.diagnosis import fixes
from mlp_core.reports.diagnosis.fixes import Fix
from mlp_core.reports.diagnosis.layer_faults import (
    LEARNED,
    dead,
    large_update,
    lost_gradient,
    lost_signal,
    saturated,
    small_updates,
    symmetric,
)
from mlp_core.reports.diagnosis.verdict import RECENT_STEPS, Case, Verdict, joined, percent
from mlp_core.spec import RunSpec
from mlp_core.training.inspection import Inspection

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
