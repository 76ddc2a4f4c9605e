"""Kept runs as bounded text, and back from text that anybody may have written: JSON, read as data and checked field by field."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, NamedTuple

from mlp_core.bounds import Bounds, SpecError
from mlp_core.network import count as counts_of
from mlp_core.reports.comparison.kept_runs import CAPACITY, MAX_NAME, MAX_PINNED, KeptRun, KeptRuns, cleaned_name, retold_name, unique_name
from mlp_core.reports.export import results
from mlp_core.reports.export.experiment import Experiment
from mlp_core.reports.export.results import Results, checked_list, checked_object
from mlp_core.words import Message, count, counted

VERSION = 1
MAX_LENGTH = 200_000  # characters of it all: a dozen runs of ten epochs take half of that
MAX_STEPS, MAX_STEPS_OF_MANY = 400, 120  # kept of a run's curve; of each of several seeds
DIGITS = 5  # of a minibatch's loss and accuracy
OWN_FIELDS = ("experiment", "renamed", "pinned", "shown", "style", "from_file")


class ReadBack(NamedTuple):
    """What a text held: the runs, the first reason why some of them could not be read, and how many had found no room in it."""

    kept: KeptRuns
    refused: SpecError | None
    left_out: int


def saved(kept: KeptRuns) -> str:
    """Kept runs as a text of at most `MAX_LENGTH` characters: pinned ones first, then the newest; curves are thinned."""
    chosen, room = dict[int, str](), MAX_LENGTH - 100
    for run in sorted(kept.runs, key=lambda run: (run.pinned, run.id), reverse=True):
        try:
            text = _written(run)
        except SpecError:  # more changes in mid-run than a file of an experiment may have
            continue
        if len(text) < room:
            chosen[run.id], room = text, room - len(text) - 1
    runs = ",".join(chosen[run.id] for run in kept.runs if run.id in chosen)
    return f'{{"version":{VERSION},"left_out":{len(kept.runs) - len(chosen)},"runs":[{runs}]}}'


def read_back(text: str, first_id: int = 1) -> ReadBack:
    """The runs of a text of `saved`, the oldest first; one that breaks a rule is left out.

    Raises:
        SpecError: the text is too long, not what `saved` writes, or of another version.
    """
    if len(text) > MAX_LENGTH:
        raise SpecError(
            "kept runs",
            Message("must be at most {most} characters", most=count(MAX_LENGTH)),
            counted(len(text), "{n} character", "{n} characters"),
        )
    try:
        content = json.loads(text, parse_constant=float)
        text.encode()  # no half of a surrogate pair
    except (ValueError, RecursionError) as error:
        raise SpecError("kept runs", Message("must be JSON"), text) from error
    content = checked_object("kept runs", content, ("version", "left_out", "runs"))
    Bounds(VERSION, VERSION, whole=True).check("version", content["version"])
    left_out = int(Bounds(0, CAPACITY, whole=True).check("left_out", content["left_out"]))
    kept, refused = KeptRuns(next_id=first_id), None
    for entry in checked_list("runs", content["runs"], CAPACITY):
        try:
            run = _read(entry, kept)
        except SpecError as error:
            refused = refused or error
        else:
            kept = KeptRuns((*kept.runs, run), next_id=run.id + 1)
    return ReadBack(kept, refused, left_out)


def run_of_file(experiment: Experiment, came_of_it: Results) -> KeptRun:
    """The run that a file tells of, for `KeptRuns.keep`: believed, not measured here. Named as in the file, where it has a name."""
    try:
        name = cleaned_name(experiment.name[:MAX_NAME])
    except SpecError:
        name = ""
    return _run(experiment, came_of_it, name=name, renamed=bool(name), from_file=True)


def _run(experiment: Experiment, came_of_it: Results, id: int = 0, **kept: Any) -> KeptRun:
    """A run as it is kept, of what a text said of it."""
    return KeptRun(
        id=id,
        spec=experiment.spec,
        history=came_of_it.history,
        steps_per_epoch=came_of_it.steps_per_epoch,
        parameters=counts_of(experiment.spec, experiment.spec.sizes).parameters,
        stop_reason=came_of_it.stop_reason,
        elapsed_seconds=came_of_it.elapsed_seconds,
        members=came_of_it.members,
        **kept,
    )


def _written(run: KeptRun) -> str:
    content = {
        "experiment": json.loads(Experiment(run.spec, run.history.changes, run.name).to_json()),
        "renamed": run.renamed,
        "pinned": run.pinned,
        "shown": run.shown,
        "style": run.style,
        "from_file": run.from_file,
    }
    return json.dumps(content | results.written(run, MAX_STEPS, MAX_STEPS_OF_MANY, DIGITS), separators=(",", ":"), allow_nan=False)


def _read(entry: object, kept: KeptRuns) -> KeptRun:
    """One run, to stand behind those that were read before."""
    if isinstance(entry, dict):
        entry = {"from_file": False} | entry  # of a time before there were such
    content = checked_object("run", entry, (*OWN_FIELDS, *results.FIELDS))
    experiment = Experiment.from_json(json.dumps(content["experiment"]))
    pinned, from_file = _flag("pinned", content["pinned"]), _flag("from_file", content["from_file"])
    if pinned and sum(run.pinned for run in kept.runs) >= MAX_PINNED:
        raise SpecError("pinned", Message("must be at most {most} runs", most=MAX_PINNED), MAX_PINNED + 1)
    run = _run(
        experiment,
        results.read({name: content[name] for name in results.FIELDS}, experiment.spec, experiment.changes),
        id=kept.next_id,
        name=unique_name(cleaned_name(experiment.name), kept.runs, from_file),
        style=int(Bounds(0, 2 * CAPACITY, whole=True).check("style", content["style"])),
        shown=None if content["shown"] is None else _flag("shown", content["shown"]),
        pinned=pinned,
        renamed=_flag("renamed", content["renamed"]),
        from_file=from_file,
    )
    return run if run.renamed else replace(run, name=retold_name(run))


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise SpecError(name, Message("must be true or false"), value)
    return value
