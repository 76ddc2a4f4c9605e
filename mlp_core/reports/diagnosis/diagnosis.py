"""What a history means, and what single layers tell of it, in words: a verdict with its evidence and its cure."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from mlp_core.records import EpochRecord, HistorySnapshot, StopReason, settings_after
from mlp_core.reports.diagnosis import fixes
from mlp_core.reports.diagnosis.fixes import Fix
from mlp_core.reports.diagnosis.verdict import RECENT_IMAGES, RECENT_STEPS, UPDATE, Case, Verdict, shown
from mlp_core.spec import RunSpec
from mlp_core.training.inspection import Inspection
from mlp_core.words import Message, count, counted, joined, percent, significant

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
AHEAD = 0.03  # accuracy on the training images above that on the test images; d2l's network stays at 0.02
BY_HEART, LITTLE_ELSE = 0.9, 0.1  # accuracy on the training images, and what is missing to it on the test images
MOSTLY = 0.9  # of a layer's units
# Of a layer's outputs. The chapter's networks that learn: up to 0.13 (20 layers of tanh with Xavier); those that saturate: 0.75 to 0.98.
MOST_OUTPUTS = 0.5
LEARNED = 0.3  # an accuracy well above chance
COLLAPSED = 0.5  # of the best accuracy, at most
HELD_BACK = 0.6  # an accuracy that a network of any size passes within 200 steps
# What a changed setting does to a run that was well.
BROUGHT_ABOUT = ("collapsed", "diverged", "unstable", "dead", "saturated", "held_back")
VANISHING_RATIO = 0.02  # the smallest gradient norm of a hidden layer over the output layer's; a healthy d2l network stays above 1
LOOKS = 5  # the last so many decide, since a single step tells little


def diagnose(
    spec: RunSpec,
    history: HistorySnapshot,
    stop_reason: StopReason | None = None,
    inspections: Sequence[Inspection] = (),
    kept_steps: Sequence[int] = (),
) -> Verdict:
    """Say what a run is doing, and what to try where it is not well. The gravest rule that applies decides.

    Args:
        inspections: what was seen inside it, in the order of the steps; none is fine, and gives less evidence.
        kept_steps: which of its steps the run can go on from.
    """
    verdict = _verdict(Case(spec, history, inspections), stop_reason)
    return _before_the_change(verdict, spec, history, kept_steps) if verdict.kind in BROUGHT_ABOUT else verdict


def _verdict(case: Case, stop_reason: StopReason | None) -> Verdict:
    history, ended = case.history, stop_reason is not None
    if stop_reason is not None and stop_reason.kind == "diverged":
        return _diverged(case, stop_reason)
    if stop_reason is not None and stop_reason.kind in ("out_of_memory", "device_lost", "failed", "abandoned"):
        return Verdict("failed", stop_reason.detail)
    if not history.steps:
        return Verdict("waiting", Message("Not trained yet."))
    patient = history.steps[-1] >= ENOUGH_STEPS
    fault = _collapsed(case)
    if patient:
        at_chance = abs(case.accuracy - CHANCE) < STUCK_MARGIN
        fault = fault or (_at_chance(case) if at_chance else _held_back(case) or symmetric(case) or dead(case) or saturated(case))
    fault = fault or _unstable(case) or _overfitting(case)
    if patient or (ended and history.epochs):  # a short run that is over is judged by its loss
        fault = fault or _worse_than_guessing(case, UNSTABLE_RATIO if not (patient and ended) else 1.0)
    if patient:
        fault = fault or _slow(case)
    return fault or (_ended(case, patient) if ended else _moving(case))


def _before_the_change(verdict: Verdict, spec: RunSpec, history: HistorySnapshot, kept_steps: Sequence[int]) -> Verdict:
    """Where a run had learned until a setting was changed, that is what did it, and the cure is to go back before it."""
    for change in reversed([change for change in history.changes if change.step < history.steps[-1]]):
        earlier = history.until(change.step)
        earlier = replace(earlier, changes=tuple(one for one in earlier.changes if one.step < change.step))
        case = Case(spec, earlier)
        if not earlier.steps or _peak(case)[0] < LEARNED or _verdict(case, None).is_fault:
            continue
        settings = replace(spec, **settings_after(earlier.changes))
        done = Message("It had learned until {change} came after step {step}.", change=change.words, step=count(change.step))
        kept = max((step for step in kept_steps if step <= change.step), default=None)
        if kept is not None:
            why = Message("The run goes on from there without the change to {change}.", change=change.words)
            fix = Fix(Message("Go back to step {step}", step=count(kept)), settings, why, kept)
        elif not earlier.changes:
            why = Message("The same run from the beginning, without the change.")
            fix = Fix(Message("Train again without {change}", change=change.words), settings, why)
        else:
            break
        return replace(
            verdict, evidence=joined(verdict.evidence, done), advice=Message("{fix}, before the change.", fix=fix.label), fix=fix
        )
    return verdict


def _diverged(case: Case, reason: StopReason) -> Verdict:
    finite = [loss for loss in case.history.losses if math.isfinite(loss)]
    evidence = ""
    if finite:
        most, first = significant(max(finite)), significant(finite[0])
        evidence = Message("The largest finite loss before was {most}; it started at {first}.", most=most, first=first)
    return Verdict("diverged", reason.detail, joined(evidence, large_update(case)), *_calmer(case))


def _calmer(case: Case) -> tuple[str, Fix | None]:
    """Advice and fix for losses beyond all measure."""
    loud = not case.history.losses[0] <= LOUD_START
    fix = fixes.cure(case.settings, loud=loud, explodes=True) or fixes.smaller_lr(case.settings)
    return _advised(fix, Message("Try a smaller lr, or smaller initial weights."))


def _advised(fix: Fix | None, otherwise: str) -> tuple[str, Fix | None]:
    return (joined(Message("{statement}.", statement=fix.label), fix.why) if fix is not None else otherwise), fix


def _collapsed(case: Case) -> Verdict | None:
    """It had learned, and has lost it again."""
    peak, where = _peak(case)
    now = max(case.accuracy, case.history.recent(case.window).accuracy)  # one test may be bad luck, and dropout lowers the other
    if peak < LEARNED or now >= COLLAPSED * peak:
        return None
    evidence = joined(where, large_update(case))
    return Verdict("collapsed", Message("Collapsed to {accuracy}.", accuracy=case.shown_accuracy), evidence, *_calmer(case))


def _peak(case: Case) -> tuple[float, str]:
    """The best accuracy that a run had, and where: after an epoch, or over neighboring steps, many, since a small batch may be lucky."""
    best = max(case.history.epochs, key=lambda epoch: epoch.test_accuracy, default=None)
    peak = _best_mean(case.history, max(2 * RECENT_STEPS, math.ceil(2 * RECENT_IMAGES / case.settings.batch_size)))
    if best is not None and best.test_accuracy > peak - STUCK_MARGIN:
        return best.test_accuracy, Message("After epoch {epoch} it had {share}.", epoch=best.epoch, share=percent(best.test_accuracy))
    return peak, Message("It had reached {share} of the training images.", share=percent(peak))


def _best_mean(history: HistorySnapshot, window: int) -> float:
    """The best mean accuracy over so many neighboring steps, of pieces a few more."""
    singly = [(1, accuracy) for step, accuracy in zip(history.steps, history.accuracies, strict=True) if step > history.pieces.end]
    parts = [*zip(history.pieces.sizes, history.pieces.accuracies, strict=True), *singly]
    window = min(window, sum(size for size, _ in parts))
    steps, total, best, first = 0, 0.0, 0.0, 0
    for size, accuracy in parts:
        steps, total = steps + size, total + size * accuracy
        while steps - parts[first][0] >= window:
            steps, total, first = steps - parts[first][0], total - parts[first][0] * parts[first][1], first + 1
        if steps >= window:
            best = max(best, total / steps)
    return best


def _at_chance(case: Case) -> Verdict:
    """The cause lies in the design where that alone would hold back any network; else what the layers show decides."""
    sentence = Message("Stuck at {accuracy}, which is guessing.", accuracy=case.shown_accuracy)
    if (given := _given(case)) is not None:
        return _stuck(case, sentence, given)
    seen = lost_signal(case) or dead(case) or saturated(case) or symmetric(case) or lost_gradient(case) or _exploded(case)
    return seen or _stuck(case, sentence)


def _given(case: Case) -> Fix | None:
    """The cure of what no layer's state tells: a penalty or an activation that lets nothing be learned."""
    repairs = (fixes.heavy_penalty(case.settings), fixes.hopeless_activation(case.settings))
    return fixes.cure(case.settings) if any(repairs) else None


def _stuck(case: Case, sentence: str, fix: Fix | None = None) -> Verdict:
    fix = fix or fixes.cure(case.settings) or fixes.random_start(case.settings)
    evidence = Message(
        "The training loss is {loss}; guessing among ten classes costs ln 10 = {guessing}.",
        loss=case.shown_loss, guessing=shown(GUESSING_LOSS),
    )  # fmt: skip
    advice, fix = _advised(fix, Message("Try another lr, or other initial weights."))
    return Verdict("stuck", sentence, joined(evidence, small_updates(case)), advice, fix)


def _held_back(case: Case) -> Verdict | None:
    """Something is learned, against a penalty that lets hardly anything be learned."""
    epochs = case.history.epochs  # the test tells, since dropout makes the training images look worse
    if not epochs or epochs[-1].test_accuracy > HELD_BACK or case.loss < FAR_TO_GO or fixes.heavy_penalty(case.settings) is None:
        return None
    if case.accuracy < LEARNED:
        sentence = Message("Stuck at {accuracy}.", accuracy=case.shown_accuracy)
    else:
        sentence = Message("Held back at {accuracy}.", accuracy=case.shown_accuracy)
    evidence = Message("The training loss is still {loss}.", loss=case.shown_loss)
    return Verdict("held_back", sentence, evidence, *_advised(fixes.cure(case.settings), Message("Try weaker penalties.")))


def _exploded(case: Case) -> Verdict | None:
    """It is back at guessing after losses that nobody gets who knows nothing."""
    finite = [loss for loss in case.history.losses if math.isfinite(loss)]
    worst = max(finite, default=0.0)
    if not worst > UNSTABLE_RATIO * GUESSING_LOSS:
        return None
    step = case.history.steps[list(case.history.losses).index(worst)]
    sentence = Message(
        "Unstable: the training loss was {loss} at step {step}, and guessing costs {guessing}.",
        loss=significant(worst), step=count(step), guessing=shown(GUESSING_LOSS),
    )  # fmt: skip
    now = Message("It is {loss} now, with {accuracy} right.", loss=case.shown_loss, accuracy=case.shown_accuracy)
    return Verdict("unstable", sentence, joined(now, large_update(case)), *_calmer(case))


def _worse_than_guessing(case: Case, ratio: float) -> Verdict | None:
    """A loss that nobody would get who knew nothing: above `ratio` times that of guessing."""
    latest = min(RECENT_STEPS, math.ceil(case.history.steps[-1] / 4))  # of a short run not its beginning, which may well be loud
    if not min(case.history.recent(latest).loss, case.loss) > ratio * GUESSING_LOSS + NOTHING:
        return None
    sentence = Message(
        "Unstable: the training loss is {loss}, and guessing costs {guessing}.", loss=case.shown_loss, guessing=shown(GUESSING_LOSS)
    )
    evidence = joined(Message("It started at {loss}.", loss=significant(case.history.losses[0])), large_update(case))
    return Verdict("unstable", sentence, evidence, *_calmer(case))


def _slow(case: Case) -> Verdict | None:
    """Steps that somebody saw to be tiny, while there is far to go."""
    still = small_updates(case)
    return _late(case, still) if still and case.loss > FAR_TO_GO else None


def _late(case: Case, evidence: str) -> Verdict:
    sentence = counted(
        case.history.steps[-1],
        "Slow: after {n} step the training loss is still {loss}.",
        "Slow: after {n} steps the training loss is still {loss}.",
        loss=case.shown_loss,
    )
    fix = fixes.cure(case.settings) or (fixes.larger_lr(case.settings) if evidence else None) or fixes.random_start(case.settings)
    return Verdict("slow", sentence, evidence, *_advised(fix, Message("Try more epochs.")))


def _unstable(case: Case) -> Verdict | None:
    history = case.history
    if not history.epochs:
        return None
    calmest = min(history.epochs, key=lambda epoch: epoch.train_loss)
    since = history.steps[-1] - calmest.step
    if since < max(FEW_STEPS, case.window):
        return None
    now, best = case.loss, calmest.train_loss
    if now <= UNSTABLE_RATIO * best or now - best < OVERFITTED_GAP:
        return None
    sentence = Message("Unstable: the training loss has risen to {loss}.", loss=case.shown_loss)
    evidence = joined(Message("Its mean over epoch {epoch} was {loss}.", epoch=calmest.epoch, loss=shown(best)), large_update(case))
    return Verdict("unstable", sentence, evidence, *_calmer(case))


def _overfitting(case: Case) -> Verdict | None:
    epochs = case.history.epochs
    best = min(epochs, key=lambda epoch: epoch.test_loss, default=None)
    if best is None or epochs[-1].epoch < best.epoch + LASTING:
        return None
    now, wobble = epochs[-1], median(abs(after.test_loss - before.test_loss) for before, after in pairwise(epochs))
    rise = min(epoch.test_loss for epoch in epochs[-LASTING:]) - best.test_loss
    ahead = now.train_accuracy - now.test_accuracy > AHEAD and now.train_loss < best.train_loss
    if not ahead or rise < max(OVERFITTED_GAP, wobble):
        return None
    return Verdict(
        "overfitting",
        Message("Overfitting since epoch {epoch}: the training loss falls, the test loss rises.", epoch=best.epoch),
        Message(
            "Test loss {test_then} → {test_now}, training loss {train_then} → {train_now}.",
            test_then=shown(best.test_loss), test_now=shown(now.test_loss),
            train_then=shown(best.train_loss), train_now=shown(now.train_loss),
        ),
        *_advised(fixes.less_overfitting(case.settings), Message("Stop earlier.")),
    )  # fmt: skip


def _moving(case: Case) -> Verdict:
    history, epochs = case.history, case.history.epochs
    if not epochs:
        first = shown(history.losses[0])
        evidence = Message("It began at {loss}, and {accuracy} are right now.", loss=first, accuracy=case.shown_accuracy)
        return Verdict("early", Message("First epoch under way: the training loss is {loss}.", loss=case.shown_loss), evidence)
    now, share = epochs[-1], percent(epochs[-1].test_accuracy)
    if max(case.accuracy, now.test_accuracy) < CHANCE + STUCK_MARGIN:  # small epochs: several pass before patience ends
        sentence = counted(
            now.epoch,
            "Still guessing: {share} of the test images correct after {n} epoch.",
            "Still guessing: {share} of the test images correct after {n} epochs.",
            share=share,
        )
        return Verdict("early", sentence, _trend(epochs))
    sentence = counted(
        now.epoch,
        "Learning: {share} of the test images correct after {n} epoch.",
        "Learning: {share} of the test images correct after {n} epochs.",
        share=share,
    )
    return Verdict("learning", sentence, _trend(epochs))


def _ended(case: Case, patient: bool) -> Verdict:
    """Of a run that is over, and in which no fault was seen."""
    epochs = case.history.epochs
    now = epochs[-1] if epochs else None
    nothing = now is not None and abs(now.train_loss - GUESSING_LOSS) < NOTHING
    if now is not None and case.accuracy >= LEARNED and not nothing:
        sentence = counted(
            now.epoch,
            "Learned: {share} of the test images correct after {n} epoch.",
            "Learned: {share} of the test images correct after {n} epochs.",
            share=percent(now.test_accuracy),
        )
        return _by_heart(case, now) or Verdict("learned", sentence, _trend(epochs))
    if (exploded := _exploded(case)) is not None and now is not None:
        return exploded
    if patient and nothing:
        return _stuck(case, Message("Hardly moved: {accuracy} right, but no surer of it than a guess.", accuracy=case.shown_accuracy))
    return _late(case, small_updates(case)) if patient else _short(case, now)


def _short(case: Case, now: EpochRecord | None) -> Verdict:
    """Over before a network usually leaves chance: more of the same, or first what would hold back a longer run too."""
    steps = case.history.steps[-1]
    sentence = counted(
        steps, "Too short to tell: {n} step, {accuracy} right.", "Too short to tell: {n} steps, {accuracy} right.",
        accuracy=case.shown_accuracy,
    )  # fmt: skip
    evidence = Message(
        "The training loss is {loss} and began at {first}; d2l's network needs about 60 steps.",
        loss=case.shown_loss, first=shown(case.history.losses[0]),
    )  # fmt: skip
    fix = None
    if now is not None:
        fix = fixes.cure(case.settings) or fixes.more_epochs(case.settings, math.ceil(now.step / now.epoch))
    return Verdict("short", sentence, evidence, *_advised(fix, Message("Train it for longer.")))


def _by_heart(case: Case, now: EpochRecord) -> Verdict | None:
    """The training images are known one by one."""
    if now.train_accuracy < BY_HEART or now.train_accuracy - now.test_accuracy < LITTLE_ELSE:
        return None
    sentence = counted(
        now.epoch,
        "Learned by heart: {train} of the training images correct in the last epoch, "
        "and {test} of the test images correct after {n} epoch.",
        "Learned by heart: {train} of the training images correct in the last epoch, "
        "and {test} of the test images correct after {n} epochs.",
        train=percent(now.train_accuracy),
        test=percent(now.test_accuracy),
    )
    return Verdict("overfitting", sentence, _trend(case.history.epochs), *_advised(fixes.less_overfitting(case.settings), ""))


def _trend(epochs: Sequence[EpochRecord]) -> str:
    if len(epochs) < 2:
        return ""
    first, last = epochs[0], epochs[-1]
    return Message(
        "The training loss went from {first} in epoch 1 to {last} in epoch {epoch}.",
        first=shown(first.train_loss), last=shown(last.train_loss), epoch=last.epoch,
    )  # fmt: skip


def lost_signal(case: Case) -> Verdict | None:
    """Initial weights so small that nothing of the input reaches the output."""
    hidden = case.start[:-1]
    if not hidden or hidden[-1].activation_std > VANISHING_RATIO * hidden[0].activation_std:
        return None
    first, last = hidden[0], hidden[-1]
    if last.activation_std == 0:
        evidence = Message("Before training, the units of layer {layer} output the same for every image.", layer=last.layer)
    else:
        evidence = Message(
            "Before training, outputs spread by {first} in layer 1, by {last} in layer {layer}.",
            first=significant(first.activation_std, 2), last=significant(last.activation_std, 2), layer=last.layer,
        )  # fmt: skip
    sentence = Message("Stuck at {accuracy}: the signal vanishes on its way through the layers.", accuracy=case.shown_accuracy)
    return _vanishing(case, sentence, evidence)


def lost_gradient(case: Case) -> Verdict | None:
    """A gradient that dies between the output and a hidden layer."""
    layers = case.layers
    weakest = min(layers[:-1], key=lambda layer: layer.gradient_norm, default=None)
    if weakest is None or weakest.gradient_norm > VANISHING_RATIO * layers[-1].gradient_norm:
        return None
    weak, last = _norm(weakest.gradient_norm), _norm(layers[-1].gradient_norm)
    evidence = Message("|∂L/∂W| is {weak} in layer {layer}, {last} in the output layer.", weak=weak, layer=weakest.layer, last=last)
    sentence = Message("Stuck at {accuracy}: the gradient vanishes on its way back.", accuracy=case.shown_accuracy)
    return _vanishing(case, sentence, evidence)


def _vanishing(case: Case, sentence: str, evidence: str) -> Verdict:
    settings = case.settings
    fix = fixes.cure(settings) or fixes.random_start(settings) or fixes.fewer_layers(settings)
    return Verdict("vanishing", sentence, joined(evidence, small_updates(case)), *_advised(fix, Message("Try fewer layers.")))


def dead(case: Case) -> Verdict | None:
    """A layer whose units have nearly all died."""
    layer = next((layer for layer in case.layers[:-1] if layer.dead_units >= MOSTLY * layer.units), None)
    if layer is None:
        return None
    if case.accuracy < LEARNED:
        sentence = Message("Stuck at {accuracy}: the units of layer {layer} are dead.", accuracy=case.shown_accuracy, layer=layer.layer)
    else:
        sentence = counted(
            layer.units - layer.dead_units,
            "Worth {n} unit: most units of layer {layer} are dead.",
            "Worth {n} units: most units of layer {layer} are dead.",
            layer=layer.layer,
        )
    evidence = Message(
        "{dead} of {units} output 0 on every probe image, and no gradient passes through those.",
        dead=layer.dead_units, units=layer.units,
    )  # fmt: skip
    fix = fixes.cure(case.settings, explodes=True) or fixes.living_units(case.settings)
    return Verdict("dead", sentence, joined(evidence, large_update(case)), *_advised(fix, Message("Try a smaller lr, or leaky ReLU.")))


def saturated(case: Case) -> Verdict | None:
    """A layer whose outputs lie mostly where the activation is flat, from the start or because of the steps."""
    layer = max(case.layers[:-1], key=lambda layer: layer.saturated_fraction, default=None)
    if layer is None or layer.saturated_fraction < MOST_OUTPUTS:
        return None
    before = case.start[layer.layer - 1].saturated_fraction if case.start else 0.0
    born = before >= MOST_OUTPUTS
    if not born and case.accuracy >= LEARNED:
        return None  # a network that is sure of itself saturates too
    accuracy, number = case.shown_accuracy, layer.layer
    if case.accuracy < LEARNED:
        sentence = Message("Stuck at {accuracy}: most outputs of layer {layer} are saturated.", accuracy=accuracy, layer=number)
    else:
        sentence = Message("Held back at {accuracy}: most outputs of layer {layer} are saturated.", accuracy=accuracy, layer=number)
    evidence = Message(
        "{share} lie where the activation is flat ({before} before training).",
        share=percent(layer.saturated_fraction, 0), before=percent(before, 0),
    )  # fmt: skip
    fix = fixes.cure(case.settings, loud=born, explodes=not born) or (None if born else fixes.smaller_lr(case.settings))
    return Verdict("saturated", sentence, joined(evidence, large_update(case)), *_advised(fix, Message("Try smaller initial weights.")))


def symmetric(case: Case) -> Verdict | None:
    """A layer whose units all compute the same."""
    layer = next((layer for layer in case.layers[:-1] if layer.units > 1 and layer.distinct_units == 1), None)
    if layer is None or layer.dead_units:
        return None
    return Verdict(
        "symmetric",
        Message("Worth one unit: all {units} units of layer {layer} compute the same.", units=layer.units, layer=layer.layer),
        Message("Equal weights get equal gradients: the units are equal so far, and only rounding or dropout can part them."),
        *_advised(fixes.cure(case.settings) or fixes.random_start(case.settings), Message("Start from random weights.")),
    )


def small_updates(case: Case) -> str:
    """Evidence that the last steps hardly moved the weights; "" where they did, or where nobody looked."""
    ratios = [ratio for look in case.inspections[-LOOKS:] for layer in look.layers if (ratio := layer.update_ratio) is not None]
    finite = [ratio for ratio in ratios if math.isfinite(ratio)]
    if not finite or median(finite) >= UPDATE[0]:
        return ""
    return Message(
        "A step changes the weights by {ratio} of their size (median over the layers); about 10⁻³ is healthy.", ratio=_norm(median(finite))
    )


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
    where = Message("layer {layer}", layer=layer.layer) if layer.layer <= len(case.spec.hidden) else Message("the output layer")
    if ratio < 1:
        return Message(
            "Step {step} changed the weights of {where} by {share} of their size; about 10⁻³ is healthy.",
            step=count(step), where=where, share=percent(ratio, 0),
        )  # fmt: skip
    return Message(
        "Step {step} changed the weights of {where} by {factor} times their size; about 10⁻³ is healthy.",
        step=count(step), where=where, factor=significant(ratio, 2),
    )  # fmt: skip


def _norm(value: float) -> str:
    return Message("exactly 0") if value == 0 else significant(value, 2)
