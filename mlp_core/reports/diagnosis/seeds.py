"""What several seeds of one design mean together: for how many each verdict holds, with the means over them as numbers."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from statistics import mean, mode

from mlp_core.records import EpochRecord, HistorySnapshot, Recent, StopReason
from mlp_core.reports.diagnosis.diagnosis import diagnose
from mlp_core.reports.diagnosis.verdict import RECENT_STEPS, Verdict, shown
from mlp_core.spec import RunSpec
from mlp_core.words import Message, count, joined, percent

OF_ALL = ("waiting", "failed")  # kinds that hold for a run and not for one of its seeds
WORDS = {  # a kind of verdict, as it is said of some of the seeds
    "early": Message("too early to tell"),
    "short": Message("too short to tell"),
    "learning": Message("learning"),
    "learned": Message("learned"),
    "overfitting": Message("overfitting"),
    "unstable": Message("unstable"),
    "symmetric": Message("symmetric"),
    "stuck": Message("stuck"),
    "slow": Message("slow"),
    "held_back": Message("held back"),
    "saturated": Message("saturated"),
    "vanishing": Message("vanishing"),
    "dead": Message("dead"),
    "collapsed": Message("collapsed"),
    "diverged": Message("diverged"),
}


def diagnose_seeds(spec: RunSpec, members: Sequence[HistorySnapshot], stop_reason: StopReason | None = None) -> Verdict:
    """Say for how many of the seeds each verdict holds; the most common fault decides what to try.

    Seeds are counted by what all of them have, their losses and accuracies. Only the first seed's layers are measured: where they show why
    it has the fault of the others, or a fault that its curves do not show, that is told of it.

    Args:
        spec: of the first seed.
        members: one history a seed.
    """
    first = diagnose(spec, members[0], _reason(members[0], stop_reason))
    if first.kind in OF_ALL:
        return first
    found = [diagnose(spec, replace(one, probes=()), _reason(one, stop_reason)) for one in members]
    kinds = Counter(verdict.kind for verdict in found).most_common()
    faults = [verdict for verdict in found if verdict.is_fault]
    kind = mode(verdict.kind for verdict in faults or found)
    verdict = next(one for one in found if one.kind == kind and one.fix == mode(same.fix for same in found if same.kind == kind))
    evidence = _means(members)
    if first.is_fault and first.kind != found[0].kind and (found[0].kind == kind or not faults):
        measured = Message("Seed {seed}, whose layers were measured: {verdict}", seed=spec.seed, verdict=first.sentence)
        verdict, evidence = first, joined(evidence, measured, first.evidence)
    if len(kinds) == 1:
        sentence = Message("All {n} seeds: {kind}.", n=len(found), kind=WORDS[kind])
    else:
        counts = [Message("{times} of {n} seeds: {kind}", times=times, n=len(found), kind=WORDS[one]) for one, times in kinds]
        sentence = Message("{statement}.", statement=reduce(_and_then, counts))
    return replace(verdict, sentence=sentence, evidence=evidence)


def going(members: Sequence[HistorySnapshot]) -> list[HistorySnapshot]:
    """The seeds whose losses are finite so far."""
    return [one for one in members if not _diverged(one)]


def latest(members: Sequence[HistorySnapshot]) -> list[Recent]:
    """Of every seed that goes on, the last minibatches."""
    return [one.recent(RECENT_STEPS) for one in going(members) if one.steps]


def tested(members: Sequence[HistorySnapshot]) -> list[EpochRecord]:
    """Of every seed that goes on, the last epoch that all of these have ended."""
    epoch = min((len(one.epochs) for one in going(members)), default=0)
    return [one.epochs[epoch - 1] for one in going(members)] if epoch else []


def _means(members: Sequence[HistorySnapshot]) -> str:
    """The means over the seeds that go on, as the page's tiles show them."""
    now, last = latest(members), tested(members)
    if not now:
        return ""
    loss = shown(mean(recent.loss for recent in now))
    if not last:
        right = percent(mean(recent.accuracy for recent in now))
        return Message("On average the training loss is {loss}, and {right} of the training images are right.", loss=loss, right=right)
    return Message(
        "On average the training loss is {loss}, and after epoch {epoch} {right} of the test images are right.",
        loss=loss, epoch=last[0].epoch, right=percent(mean(record.test_accuracy for record in last)),
    )  # fmt: skip


def _and_then(statement: Message, another: Message) -> Message:
    return Message("{statement}; {another}", statement=statement, another=another)


def _reason(member: HistorySnapshot, stop_reason: StopReason | None) -> StopReason | None:
    """Why a seed ended: it may have diverged while others go on."""
    if not _diverged(member):
        return stop_reason
    return StopReason("diverged", member.steps[-1], Message("Diverged at step {step}.", step=count(member.steps[-1])))


def _diverged(member: HistorySnapshot) -> bool:
    last = [*member.losses[-1:], *(epoch.test_loss for epoch in member.epochs[-1:])]
    return not all(map(math.isfinite, last))
