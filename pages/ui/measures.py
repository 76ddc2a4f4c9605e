"""What can be measured of what a page shows: by name, of exactly the experiment that a link describes, whatever was moved since.

A section has its measures beside what it shows, and a function from the values of its link to the `Subject` that they describe.
"""

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from mlp_core.spec import SpecError
from mlp_core.words import Message
from pages.ui import computing, session

Values = Mapping[str, Any]  # of a link's fields
Kind = Literal["fraction", "number", "log10", "count"]
State = Literal["none", "moving", "done"]


@dataclass(frozen=True, slots=True)
class Measure:
    """A number that can be asked for by name.

    Args:
        label: what it is, in a few words that a value can follow.
        meaning: what exactly it is.
        kind: how it is written: a share of 1, a number, a power of ten (`log10` of what is meant), or a whole number.
        read: it, of one run or result, where that has several, or of the whole, given after how many epochs (None: at the end); None or
            NaN where there is no such number.
        per_epoch: whether it can be asked for after some epochs.
        of_all: whether it is of all runs together.
        runs: the labels of the runs or results that it can be asked of; none where there is only one.
    """

    label: str
    meaning: str
    kind: Kind
    read: Callable[[Any, int | None], float | None]
    per_epoch: bool = False
    of_all: bool = False
    runs: tuple[str, ...] = ()


def once(label: str, meaning: str, kind: Kind, read: Callable[[Any], float | None], *, of_all: bool = False) -> Measure:
    """A measure that does not change from epoch to epoch."""
    return Measure(label, meaning, kind, lambda found, _after: read(found), of_all=of_all)


class Subject(Protocol):
    """One experiment: what it can be asked for, and how far it is."""

    @property
    def measures(self) -> Mapping[str, Measure]: ...

    @property
    def labels(self) -> tuple[str, ...]:
        """Of its runs or results, where there are several."""
        ...

    @property
    def epochs(self) -> int:
        """How long it trains; 0 where it trains nothing."""
        ...

    @property
    def trains(self) -> bool:
        """Whether it has to be started; another is computed where it is shown."""
        ...

    def start(self) -> None:
        """Begin it, or go on, as the page's own button does."""

    def state(self) -> State:
        """How far it is; a run of another experiment does not count, nor one that was changed on the way or stopped."""
        ...

    def unmeasured(self) -> str:
        """Why what was run is not measured, as a sentence; empty where nothing was run, or all is well."""
        ...

    def hidden(self) -> bool:
        """Whether the place where it is shown holds what does not belong to it."""
        ...

    def rest(self) -> None:
        """Let what is shown there not move by itself any more, as it did on another page."""

    def source(self, label: str | None) -> Any:
        """What a measure is read of: a run or result, of which the only one has no label; None while there is none.

        Args:
            label: None for all of them together.
        """
        ...


@dataclass(frozen=True)
class Computed:
    """What is computed where it is shown; without measures, what is only shown.

    Args:
        labels: of its results, where there are several.
        results: label -> what a measure is read of, "" where there is only one; computed at once, or from the result of the job.
        job: under which name and key it is computed in turns with everybody's runs (`pages.ui.computing`).
        rest: see `Subject`.
    """

    measures: Mapping[str, Measure] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    results: Callable[..., Mapping[str, Any]] = dict
    job: tuple[str, Hashable] | None = None
    epochs: int = 0
    rest: Callable[[], None] = lambda: None

    trains = False

    def start(self) -> None:
        pass

    def unmeasured(self) -> str:
        return ""

    def hidden(self) -> bool:
        return False

    def state(self) -> State:
        if self.job is None:
            return "done"
        name, key = self.job
        if computing.result_of(name, key) is not None:
            return "done"
        held = session.jobs().computations.get(name)
        return "moving" if held is not None and held[0] == key and held[1].moving else "none"

    def source(self, label: str | None) -> Any:
        found = () if self.job is None else (computing.result_of(*self.job),)
        if None in found:
            return None
        results = self.results(*found)
        return results if label is None else results.get(label)


def check(subject: Subject, name: str, run: str, after: int | None) -> Measure:
    """The measure of this name.

    Raises:
        SpecError: there is none, or it cannot be asked of this run, or after so many epochs.
    """
    measures = subject.measures
    if name not in measures:
        if not measures:
            raise SpecError("measure", Message("must be left out: nothing can be measured here"), name)
        raise SpecError("measure", Message("must be one of {names}", names=", ".join(measures)), name)
    measure = measures[name]
    labels = () if measure.of_all else subject.labels
    if labels and run not in labels:
        raise SpecError("of", Message("must be one of {names}", names=", ".join(labels)), run)
    if run and not labels:
        raise SpecError("of", Message("must be left out: {name} is one number here", name=name), run)
    if after is not None:
        if not measure.per_epoch:
            raise SpecError("after", Message("must be left out: {name} does not change from epoch to epoch", name=name), after)
        if not 1 <= after <= subject.epochs:
            raise SpecError("after", Message("must be a number of epochs from 1 to {epochs}", epochs=subject.epochs), after)
    return measure


def measured(subject: Subject, name: str, run: str = "", after: int | None = None) -> float | None:
    """The number, or None where there is none yet.

    Raises:
        SpecError: what `check` raises.
    """
    measure = check(subject, name, run, after)
    source = subject.source(None if measure.of_all else run)
    value = measure.read(source, after) if source is not None else None
    return None if value is None or math.isnan(value) else float(value)
