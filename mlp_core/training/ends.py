"""How a run ends, in words: what the `detail` of a `StopReason` says."""

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from mlp_core.records import StopReason
from mlp_core.words import Message, counted


def completed(epochs: int, broken: int = 0, seeds: int = 1) -> Message:
    """The end of the last epoch, `broken` of the seeds having diverged before."""
    if not broken:
        return counted(epochs, "Completed {n} epoch.", "Completed {n} epochs.")
    return counted(
        epochs,
        "Completed {n} epoch; {broken} of {seeds} seeds diverged before.",
        "Completed {n} epochs; {broken} of {seeds} seeds diverged before.",
        broken=broken,
        seeds=seeds,
    )


def stopped(step: int) -> Message:
    """A person's wish."""
    return Message("Stopped at step {step}.", step=step)


def abandoned(step: int) -> Message:
    """Nobody claims it any more."""
    return Message("Given up at step {step}: its page was closed, or out of reach for too long.", step=step)


def failed(step: int, error: Exception) -> Message:
    """A defect."""
    name = type(error).__name__
    return Message("Stopped at step {step} by a defect ({error}); the curves up to there are kept.", step=step, error=name)


def out_of_memory(step: int) -> Message:
    """Too large a network or batch."""
    return Message("The memory ran out (a smaller network or batch needs less) at step {step}; the curves up to there are kept.", step=step)


def device_lost(step: int) -> Message:
    """A graphics processor that gave out."""
    return Message("The device stopped answering at step {step}; the curves up to there are kept.", step=step)


def diverged(step: int, value: float, *, tested: bool) -> Message:
    """A loss, that of the training or of the test, that is not finite."""
    spoken = "NaN" if math.isnan(value) else Message("infinite")
    if tested:
        return Message("Diverged at step {step}: the test loss is {value}.", step=step, value=spoken)
    return Message("Diverged at step {step}: the loss is {value}.", step=step, value=spoken)


def all_diverged(step: int, seeds: int, *, tested: bool) -> Message:
    """No seed's loss is finite any more."""
    if tested:
        return Message("All {seeds} seeds diverged, the last at step {step}: the test loss is not finite.", seeds=seeds, step=step)
    return Message("All {seeds} seeds diverged, the last at step {step}: the loss is not finite.", seeds=seeds, step=step)


def retold(reason: StopReason, epochs: int, seeds: int) -> StopReason:
    """A reason that was read as plain text, as one that can be said in any language; the text stays what it is.

    Args:
        epochs: of the run's experiment.
        seeds: how many it trained at once.
    """
    return replace(reason, detail=next((message for message in _known(reason, epochs, seeds) if message == reason.detail), reason.detail))


def _known(reason: StopReason, epochs: int, seeds: int) -> Iterator[Message]:
    """All that a reason of this kind may say, a defect's aside, which names an error."""
    if reason.kind == "completed":
        yield from (completed(epochs, broken, seeds) for broken in range(seeds))
    elif reason.kind == "diverged":
        yield from (diverged(reason.step, value, tested=tested) for value, tested in product((math.nan, math.inf), (False, True)))
        yield from (all_diverged(reason.step, seeds, tested=tested) for tested in (False, True))
    elif reason.kind != "failed":
        of_kind = {"stopped": stopped, "abandoned": abandoned, "out_of_memory": out_of_memory, "device_lost": device_lost}
        yield of_kind[reason.kind](reason.step)
