"""A whole experiment as a file: its spec, the changes in mid-run, and what came of it, so that its curves can be drawn again. JSON, nothing
else.

A link (`Experiment.to_query`) carries spec and changes alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

from mlp_core.bounds import check_choice
from mlp_core.expression import ExpressionError, resolve
from mlp_core.records import CHANGEABLE, SettingChange, settings_after
from mlp_core.reports.export import results
from mlp_core.reports.export.results import STEP_BOUNDS, Recorded, Results
from mlp_core.spec import MAX_TEXT_LENGTH, RunSpec, SpecError, query_of
from mlp_core.words import Message, count, counted, listed

VERSION = 3  # of files written now
NO_CURVES, LR_ONLY = 2, 1  # those whose results are for people alone; and that knew no change but of the lr, under "lr_changes"
MAX_FILE_BYTES = 3_000_000  # five seeds of 2000 epochs take 2 MB
MAX_NAME_LENGTH = 100
MAX_CHANGES = 1000
FIELDS = ("version", "name", "spec", "changes", "lr_changes", "results")


@dataclass(frozen=True, slots=True)
class Experiment:
    """What decides a run's numbers: its spec and the changes of its settings in mid-run.

    Args:
        changes: in the order of their steps; of several of one setting at one step the last counts.
        name: of a person's choosing; may be empty.

    Raises:
        SpecError: a change that breaks a rule, too many of them, or too long a name.
    """

    spec: RunSpec
    changes: tuple[SettingChange, ...] = field(default=())
    name: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or len(self.name) > MAX_NAME_LENGTH:
            raise SpecError("name", Message("must be text of at most {most} characters", most=MAX_NAME_LENGTH), self.name)
        if len(self.changes) > MAX_CHANGES:
            raise SpecError(
                "changes",
                Message("must have at most {most} entries", most=MAX_CHANGES),
                counted(len(self.changes), "{n} entry", "{n} entries"),
            )
        settings, checked = self.spec, list[SettingChange]()
        for change in self.changes:
            step = int(STEP_BOUNDS.check("changes: step", change.step))
            check_choice("changes: field", change.field, tuple(CHANGEABLE))
            try:
                settings = replace(settings, **settings_after([change]))
            except SpecError as error:
                raise SpecError(f"changes: {error.field}", error.rule, error.value) from error
            checked.append(SettingChange(step, change.field, getattr(settings, change.field)))
        steps = [change.step for change in checked]
        if steps != sorted(steps):
            raise SpecError("changes", Message("must stand in the order of their steps"), steps)
        object.__setattr__(self, "changes", tuple(checked))

    def differences(self, other: Experiment) -> dict[str, tuple[Any, Any]]:
        """Field of the spec, or "changes" -> (mine, theirs) for all in which the two differ; changes as a link says them."""
        changes = changes_text(self.changes), changes_text(other.changes)
        return self.spec.differences(other.spec) | ({"changes": changes} if changes[0] != changes[1] else {})

    def to_query(self) -> dict[str, str]:
        """The parameters of a link: those of the spec, and "changes" where there are some and they are not too many for a link."""
        text = changes_text(self.changes)
        return self.spec.to_query() | ({"changes": text} if 0 < len(text) <= MAX_TEXT_LENGTH else {})

    def to_json(self, run: Recorded | None = None) -> str:
        """The file; with what came of `run` in it, once it has begun, its curves thinned where they are long (`results.written`)."""
        content: dict[str, Any] = {
            "version": VERSION,
            "name": self.name,
            "spec": asdict(self.spec),
            "changes": [asdict(change) for change in self.changes],
        }
        head = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
        if run is None or not run.history.steps:
            return head + "\n"
        came_of_it = json.dumps(results.written(run), separators=(",", ":"), allow_nan=False)
        return f'{head[:-2]},\n "results": {came_of_it}\n}}\n'  # in one line: a number a line could not be read by anybody

    @classmethod
    def from_json(cls, text: str | bytes) -> Experiment:
        """Read what `to_json` wrote, the results aside.

        Raises:
            SpecError: too long, not JSON, another version, an unknown field, or a field that breaks its rule.
        """
        return cls._of(_parsed(text))

    @classmethod
    def _of(cls, content: dict[str, Any]) -> Experiment:
        for name, value in content.items():
            if name not in FIELDS:
                raise SpecError(name[:60], Message("is not a field of an experiment's file"), value)
        version = content.get("version")
        if isinstance(version, bool) or version not in (VERSION, NO_CURVES, LR_ONLY):
            versions = listed([str(LR_ONLY), str(NO_CURVES), str(VERSION)], "or")
            raise SpecError("version", Message("must be {versions}", versions=versions), version)
        if not isinstance(content.get("spec"), dict):
            raise SpecError("spec", Message("must be an object with the fields of an experiment"), content.get("spec"))
        spec = RunSpec.from_json(json.dumps(content["spec"]))
        try:
            resolve(spec.activation)
        except ExpressionError as error:
            raise SpecError("activation", Message("must be an expression in x ({why})", why=error.args[0]), spec.activation) from error
        return cls(spec, _changes(content), content.get("name", ""))


class ExperimentFile(NamedTuple):
    """What a file holds. `results` are None where it tells nothing of a run that could be drawn, as files of before version 3."""

    experiment: Experiment
    results: Results | None


def read_file(text: str | bytes) -> ExperimentFile:
    """Read what `Experiment.to_json` wrote, the results too.

    Raises:
        SpecError: what `Experiment.from_json` raises, or results that break a rule or cannot be of this experiment.
    """
    content = _parsed(text)
    experiment, found = Experiment._of(content), content.get("results")
    if found is None or content["version"] != VERSION:
        return ExperimentFile(experiment, None)
    return ExperimentFile(experiment, results.read(found, experiment.spec, experiment.changes))


def changes_text(changes: Iterable[SettingChange]) -> str:
    """Changes as one parameter of a link, with values as `RunSpec.to_query` has them: `lr@235:0.01,dropout@470:0.2,0.5`."""
    return ",".join(f"{change.field}@{change.step}:{query_of({change.field: change.value})[change.field]}" for change in changes)


def read_changes(text: str) -> tuple[SettingChange, ...]:
    """What `changes_text` wrote; whether an experiment can have them is for the `Experiment` to say.

    Raises:
        SpecError: too long, another form, or a value that breaks its field's rule.
    """
    if len(text) > MAX_TEXT_LENGTH:
        raise SpecError(
            "changes",
            Message("must be at most {most} characters", most=MAX_TEXT_LENGTH),
            counted(len(text), "{n} character", "{n} characters"),
        )
    changes = []
    for part in re.split(r",(?=[^,]*@)", text) if text else ():
        if (match := re.fullmatch(r"\s*(\w+)@([^:]*):(.*)", part)) is None:
            rule = Message("must be setting@step:value, with commas between several, such as lr@235:0.01")
            raise SpecError("changes", rule, part)
        name, step, value = match.groups()
        check_choice("changes: field", name, tuple(CHANGEABLE))
        layers = ",".join("1" for _ in value.split(","))  # as many as a list has values; how many there are is the experiment's rule
        spec, errors = RunSpec.from_query({"hidden": layers, name: value})
        for error in errors:
            if error.field == name:
                raise SpecError(f"changes: {name}", error.rule, error.value)
        changes.append(SettingChange(int(STEP_BOUNDS.read("changes: step", step)), name, getattr(spec, name)))
    return tuple(changes)


def _parsed(text: str | bytes) -> dict[str, Any]:
    rule = Message("must be a JSON object in UTF-8")
    if len(text) > MAX_FILE_BYTES:
        raise SpecError(
            "file", Message("must be at most {most} bytes", most=count(MAX_FILE_BYTES)), counted(len(text), "{n} byte", "{n} bytes")
        )
    try:
        content = json.loads(text.decode("utf-8-sig") if isinstance(text, bytes) else text)
        json.dumps(content, ensure_ascii=False).encode()  # what cannot be written is refused here: nested too deep, half a surrogate pair
    except (ValueError, RecursionError) as error:
        raise SpecError("file", rule, text) from error
    if not isinstance(content, dict):
        raise SpecError("file", rule, content)
    return content


def _changes(content: dict[str, Any]) -> tuple[SettingChange, ...]:
    """The changes of a file, of whichever version; the values are checked where they become an experiment's."""
    if content["version"] == LR_ONLY:
        entries = _entries(content, "lr_changes", ("step", "lr"))
        return tuple(SettingChange(entry["step"], "lr", entry["lr"]) for entry in entries)
    entries = _entries(content, "changes", ("step", "field", "value"))
    values = [tuple(entry["value"]) if isinstance(entry["value"], list) else entry["value"] for entry in entries]
    return tuple(SettingChange(entry["step"], entry["field"], value) for entry, value in zip(entries, values, strict=True))


def _entries(content: dict[str, Any], name: str, keys: tuple[str, ...]) -> list[dict[str, Any]]:
    entries, rule = content.get(name, []), Message("must be a list of objects with {fields}", fields=listed(keys))
    if not isinstance(entries, list):
        raise SpecError(name, rule, entries)
    for entry in entries:
        if not isinstance(entry, dict) or set(entry) != set(keys):
            raise SpecError(name, rule, entry)
    return entries
