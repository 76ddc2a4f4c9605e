"""A whole experiment as a file: its spec, the learning rate's changes in mid-run, and for a reader what came out. JSON, nothing else.

A link (`RunSpec.to_query`) carries the spec alone; this carries the changes too. Results are written for people and other programs, and
passed over when a file is read back: what a run gives is measured again, not believed.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from typing import Any

from mlp_core.expression import ExpressionError, resolve
from mlp_core.records import HistorySnapshot, LrChange
from mlp_core.spec import BOUNDS, MAX_EPOCHS, MAX_TRAIN_SIZE, Bounds, RunSpec, SpecError

VERSION = 1
MAX_FILE_BYTES = 1_000_000  # 2000 epochs take 0.4 MB
MAX_NAME_LENGTH = 100
MAX_CHANGES = 1000
STEP_BOUNDS = Bounds(0, MAX_TRAIN_SIZE * MAX_EPOCHS, whole=True)
FIELDS = ("version", "name", "spec", "lr_changes", "results")


@dataclass(frozen=True, slots=True)
class Experiment:
    """What decides a run's numbers: its spec and the changes of its learning rate.

    Args:
        lr_changes: in the order of their steps; of several at one step the last counts.
        name: of a person's choosing; may be empty.

    Raises:
        SpecError: a change that breaks a rule, too many of them, or too long a name.
    """

    spec: RunSpec
    lr_changes: tuple[LrChange, ...] = field(default=())
    name: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or len(self.name) > MAX_NAME_LENGTH:
            raise SpecError("name", f"must be text of at most {MAX_NAME_LENGTH} characters", self.name)
        if len(self.lr_changes) > MAX_CHANGES:
            raise SpecError("lr_changes", f"must have at most {MAX_CHANGES} entries", f"{len(self.lr_changes)} entries")
        steps = []
        for change in self.lr_changes:
            steps.append(STEP_BOUNDS.check("lr_changes: step", change.step))
            BOUNDS["lr"].check("lr_changes: lr", change.lr)
        if steps != sorted(steps):
            raise SpecError("lr_changes", "must stand in the order of their steps", steps)

    def to_json(self, history: HistorySnapshot | None = None) -> str:
        """The file; with `history` its epochs stand in it under "results". A number that is not finite stands there as null."""
        content: dict[str, Any] = {
            "version": VERSION,
            "name": self.name,
            "spec": asdict(self.spec),
            "lr_changes": [asdict(change) for change in self.lr_changes],
        }
        if history is not None:
            content["results"] = _results(history)
        return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Experiment:
        """Read what `to_json` wrote.

        Raises:
            SpecError: too long, not JSON, another version, an unknown field, or a field that breaks its rule.
        """
        content = _parsed(text)
        for name in content:
            if name not in FIELDS:
                raise SpecError(name[:60], "is not a field of an experiment's file", content[name])
        version = content.get("version")
        if isinstance(version, bool) or version != VERSION:
            raise SpecError("version", f"must be {VERSION}", version)
        if not isinstance(content.get("spec"), dict):
            raise SpecError("spec", "must be an object with the fields of an experiment", content.get("spec"))
        spec = RunSpec.from_json(json.dumps(content["spec"]))
        try:
            resolve(spec.activation)
        except ExpressionError as error:
            raise SpecError("activation", f"must be an expression in x ({error})", spec.activation) from error
        return cls(spec, _changes(content.get("lr_changes", [])), content.get("name", ""))


def _parsed(text: str | bytes) -> dict[str, Any]:
    rule = "must be a JSON object in UTF-8"
    if len(text) > MAX_FILE_BYTES:
        raise SpecError("file", f"must be at most {MAX_FILE_BYTES:,} bytes", f"{len(text):,} bytes")
    try:
        content = json.loads(text.decode("utf-8") if isinstance(text, bytes) else text)
        json.dumps(content)  # what is nested too deep to be written is refused here and not later
    except (ValueError, RecursionError) as error:
        raise SpecError("file", rule, text) from error
    if not isinstance(content, dict):
        raise SpecError("file", rule, content)
    return content


def _changes(entries: object) -> tuple[LrChange, ...]:
    rule = 'must be a list of {"step": …, "lr": …}'
    if not isinstance(entries, list):
        raise SpecError("lr_changes", rule, entries)
    for entry in entries:
        if not isinstance(entry, dict) or set(entry) != {"step", "lr"}:
            raise SpecError("lr_changes", rule, entry)
    return tuple(LrChange(STEP_BOUNDS.check("lr_changes: step", e["step"]), BOUNDS["lr"].check("lr_changes: lr", e["lr"])) for e in entries)  # type: ignore[arg-type]


def _results(history: HistorySnapshot) -> dict[str, Any]:
    epochs = [{name: _finite(value) for name, value in asdict(record).items()} for record in history.epochs]
    return {"steps": history.steps[-1] if history.steps else 0, "epochs": epochs}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
