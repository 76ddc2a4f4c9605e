"""The runs that a person keeps beside each other: bounded in number, in the order in which they were kept.

`KeptRuns` is never changed: every operation returns another one. Whoever is interrupted half-way has the old ones or the new ones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from statistics import fmean
from typing import Any, NamedTuple

from mlp_core.bounds import SpecError
from mlp_core.jobs import JobSnapshot
from mlp_core.network import count as counts_of
from mlp_core.records import HistorySnapshot, StopReason
from mlp_core.reports.comparison.changes import short_name
from mlp_core.reports.export.results import MAX_STEPS
from mlp_core.spec import RunSpec
from mlp_core.words import Message

CAPACITY = 12
MAX_PINNED = CAPACITY - 1  # so that there is always one that can make room
MAX_NAME = 60  # characters
MOST_UNASKED = 3  # kept runs that are shown without having been chosen


@dataclass(frozen=True, slots=True)
class FinalNumbers:
    """A run after its last finished epoch; of several seeds the means, after the last epoch that all have finished.

    `best_test_accuracy` is the best of all epochs: chosen by the test images themselves, and so a little too good. `test_accuracies` has
    one value a seed.
    """

    epoch: int
    train_loss: float
    test_loss: float
    test_accuracy: float
    best_test_accuracy: float
    test_accuracies: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class KeptRun:
    """One run as it was when it was kept.

    `style` counts the colors and dashes of the palette; `members` has one history a seed, if there were several. `shown` is what a person
    chose, None while nobody has; `renamed` whether the name was given by a person; `from_file` whether a file tells of it, and nothing here
    has measured it.
    """

    id: int
    name: str
    spec: RunSpec
    history: HistorySnapshot
    steps_per_epoch: int
    parameters: int
    stop_reason: StopReason | None
    elapsed_seconds: float
    members: tuple[HistorySnapshot, ...] = ()
    style: int = 0
    shown: bool | None = None
    pinned: bool = False
    renamed: bool = False
    from_file: bool = False

    @property
    def final(self) -> FinalNumbers | None:
        """What it came to; None before its first epoch has ended."""
        histories = self.members or (self.history,)
        epochs = min(len(history.epochs) for history in histories)
        if epochs == 0:
            return None
        last = [history.epochs[epochs - 1] for history in histories]
        means = [fmean(history.epochs[epoch].test_accuracy for history in histories) for epoch in range(epochs)]
        return FinalNumbers(
            epoch=epochs,
            train_loss=fmean(record.train_loss for record in last),
            test_loss=fmean(record.test_loss for record in last),
            test_accuracy=means[-1],
            best_test_accuracy=max(means),
            test_accuracies=tuple(record.test_accuracy for record in last),
        )


@dataclass(frozen=True, slots=True)
class KeptRuns:
    """Kept runs, the oldest first; `let_go` names the run that made room for the newest, if one did.

    An operation on an id that is not here changes nothing: another tab's click, or the same one twice, is no fault.
    """

    runs: tuple[KeptRun, ...] = ()
    let_go: str = ""
    next_id: int = 1

    def keep(self, snapshot: JobSnapshot | KeptRun, staying: frozenset[int] = frozenset()) -> KeptRuns:
        """Keep a run as it stands, or as others kept it; a run that has not begun is not kept.

        The same run kept before (it was paused then, say) is brought up to date in its place. Training is deterministic, so the same
        experiment trained anew is the same run; the one that got further stays. What a file tells of is the same as another file's that
        tells the same, and never the same as what was measured here.

        Args:
            staying: ids of runs that do not make room, as pinned ones; not of all.
        """
        if not snapshot.history.steps:
            return self
        if (known := self.find(snapshot)) is not None:
            if known.history.steps[-1] > snapshot.history.steps[-1]:
                return self
            return self._with(known.id, **_record(snapshot))._named(known.id)
        given = snapshot if isinstance(snapshot, KeptRun) else None
        run = KeptRun(
            id=self.next_id,
            name=unique_name(given.name, self.runs, given.from_file) if given is not None else "",
            spec=snapshot.spec,
            steps_per_epoch=snapshot.steps_per_epoch,
            parameters=counts_of(snapshot.spec, snapshot.spec.sizes).parameters,
            style=self.free_style,
            renamed=given is not None and given.renamed,
            from_file=given is not None and given.from_file,
            **_record(snapshot),
        )
        leaving = next(kept for kept in self.runs if not kept.pinned and kept.id not in staying) if len(self.runs) >= CAPACITY else None
        others = tuple(kept for kept in self.runs if kept is not leaving)
        return KeptRuns((*others, run), leaving.name if leaving else "", self.next_id + 1)._named(run.id)

    def keep_together(self, runs: Sequence[KeptRun]) -> KeptTogether:
        """Keep several at once, all to be shown. None of them makes room for another: where nothing else can, it is left out."""
        kept, ids, let_go = self, list[int](), list[str]()
        for run in runs:
            known, staying = kept.find(run), frozenset(ids)
            full = len(kept.runs) >= CAPACITY and all(one.pinned or one.id in staying for one in kept.runs)
            if known is None and full:
                continue
            kept = kept.keep(run, staying)
            ids.append(known.id if known is not None else kept.runs[-1].id)
            if known is None and kept.let_go:
                let_go.append(kept.let_go)
        together = frozenset(ids)
        return KeptTogether(kept.show(together, together), tuple(dict.fromkeys(ids)), tuple(let_go), len(runs) - len(ids))

    def find(self, snapshot: JobSnapshot | KeptRun) -> KeptRun | None:
        """The kept run that is the same as this one, further on or not so far."""
        return next((run for run in self.runs if _same_run(run, snapshot)), None) if snapshot.history.steps else None

    @property
    def free_style(self) -> int:
        """The first color and dash that no run here has."""
        taken = {run.style for run in self.runs}
        return next(style for style in count() if style not in taken)

    def shown(self, on_screen: KeptRun | None = None) -> tuple[KeptRun, ...]:
        """The runs to show beside the one on screen: those that were chosen, and of those that nobody chose or hid the newest few."""
        beside = [run for run in self.runs if run is not on_screen]
        newest = {run.id for run in [run for run in beside if run.shown is None][-MOST_UNASKED:]}
        return tuple(run for run in beside if run.shown or run.id in newest)

    def show(self, ids: frozenset[int], offered: frozenset[int]) -> KeptRuns:
        """Of those that were offered show these runs and hide the others."""
        return replace(self, runs=tuple(replace(run, shown=run.id in ids) if run.id in offered else run for run in self.runs))

    def rename(self, id: int, name: str) -> KeptRuns:
        """Give a run another name.

        Raises:
            SpecError: the name is empty or too long (see `cleaned_name`), or another run's.
        """
        name = cleaned_name(name)
        if any(run.name == name for run in self.runs if run.id != id):
            raise SpecError("name", Message("must not be that of another run"), name)
        return self._with(id, name=name, renamed=True)

    def pin(self, id: int, pinned: bool = True) -> KeptRuns:
        """Never let a run go to make room, or let it go again.

        Raises:
            SpecError: `MAX_PINNED` others are pinned.
        """
        if pinned and sum(run.pinned for run in self.runs if run.id != id) >= MAX_PINNED:
            rule = Message("must be at most {most} runs, so that a new one finds a place", most=MAX_PINNED)
            raise SpecError("pinned", rule, MAX_PINNED + 1)
        return self._with(id, pinned=pinned)

    def remove(self, id: int) -> KeptRuns:
        return replace(self, runs=tuple(run for run in self.runs if run.id != id), let_go="")

    def clear(self) -> KeptRuns:
        """Remove all runs, the pinned ones too."""
        return KeptRuns(next_id=self.next_id)

    def _named(self, id: int) -> KeptRuns:
        """With the name that says what is special about a run, unless a person has named it."""
        run, others = next(run for run in self.runs if run.id == id), tuple(run for run in self.runs if run.id != id)
        return self if run.renamed else self._with(id, name=unique_name(short_name(run, MAX_NAME), others, run.from_file))

    def _with(self, id: int, **changes: Any) -> KeptRuns:
        return replace(self, runs=tuple(replace(run, **changes) if run.id == id else run for run in self.runs))


def _record(snapshot: JobSnapshot | KeptRun) -> dict[str, Any]:
    """What happened in a run, as far as it is kept."""
    return {
        "history": thinned(snapshot.history),
        "members": tuple(map(thinned, snapshot.members)),
        "stop_reason": snapshot.stop_reason,
        "elapsed_seconds": snapshot.elapsed_seconds,
    }


class KeptTogether(NamedTuple):
    """What came of keeping several runs: the list, their ids in it, the names of those that made room, and how many found none."""

    kept: KeptRuns
    ids: tuple[int, ...]
    let_go: tuple[str, ...]
    left_out: int


def thinned(history: HistorySnapshot, limit: int = MAX_STEPS) -> HistorySnapshot:
    """A history without its probes, of at most `limit` steps: of a longer one the older in pieces."""
    return replace(history.thinned(limit), probes=())


def _same_run(run: KeptRun, snapshot: JobSnapshot | KeptRun) -> bool:
    """Whether one of the two is the other further on: the same experiment, with all changes of the kept run's past and no others in it.

    What has not yet come to a change of the kept run is the same so far, but may go on without it. Of files, whether they tell the same.
    """
    if run.from_file or (isinstance(snapshot, KeptRun) and snapshot.from_file):
        return isinstance(snapshot, KeptRun) and _told(run) == _told(snapshot)
    if (run.spec, run.steps_per_epoch, len(run.members)) != (snapshot.spec, snapshot.steps_per_epoch, len(snapshot.members)):
        return False
    last = run.history.steps[-1]
    mine = [change for change in run.history.changes if change.step < last]
    theirs = [change for change in snapshot.history.changes if change.step < min(last, snapshot.history.steps[-1])]
    return mine == theirs


def _told(run: KeptRun) -> str:
    """What a file tells of a run, as far as it is the same when its curves have been thinned."""
    ends = [(history.steps[-1], f"{history.losses[-1]:.5g}", history.epochs) for history in (run.history, *run.members)]
    return repr((run.from_file, run.spec, run.history.changes, run.steps_per_epoch, run.stop_reason, ends))


def cleaned_name(name: str) -> str:
    """A name as a run may have it: blanks are made single, and what cannot be printed is left out.

    Raises:
        SpecError: it is empty then, or longer than `MAX_NAME`.
    """
    name = re.sub(r"\s+", " ", "".join(letter for letter in name if letter.isprintable() or letter.isspace())).strip()
    if not name:
        raise SpecError("name", Message("must not be empty"), name)
    if len(name) > MAX_NAME:
        raise SpecError("name", Message("must be at most {most} characters", most=MAX_NAME), name)
    return name


def unique_name(name: str, runs: tuple[KeptRun, ...], from_file: bool) -> str:
    """`name`, or with a number behind it if a run of the same kind has it, measured here or told by a file."""
    taken = {run.name for run in runs if run.from_file == from_file}
    return name if name not in taken else next(one for number in count(2) if (one := _numbered(name, number)) not in taken)


def retold_name(run: KeptRun) -> str:
    """A run's name that was read as plain text, as one that can be said in any language, where it tells what is special about the run."""
    special, number = short_name(run, MAX_NAME), re.search(r" \((\d{1,3})\)$", run.name)
    known = [special, _numbered(special, int(number[1]))] if number is not None else [special]
    return next((name for name in known if name == run.name), run.name)


def _numbered(name: str, number: int) -> str:
    if len(numbered := Message("{name} ({number})", name=name, number=number)) <= MAX_NAME:
        return numbered
    end = f" ({number})"
    return f"{name[: MAX_NAME - len(end)].rstrip()}{end}"
