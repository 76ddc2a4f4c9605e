"""What was changed between experiments: each thing that a person varies, its value in words.

A thing is what one decision changes, which is not always one field of a `RunSpec`: the standard deviation belongs to the initial weights
it is of, momentum to its optimizer, and a field that plays no part (the activation where there is no hidden layer) is no difference.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Protocol

from mlp_core.activations import ACTIVATIONS
from mlp_core.initializers import INITIALIZERS
from mlp_core.optimizers import OPTIMIZERS
from mlp_core.records import CHANGEABLE, History, HistorySnapshot, SettingChange
from mlp_core.spec import MAX_TRAIN_SIZE, RunSpec
from mlp_core.words import exactly

MOST_CHANGES = 2  # in mid-run that a name tells one by one


class ComparedRun(Protocol):
    """A run as far as it is compared: what was chosen, and what happened."""

    @property
    def spec(self) -> RunSpec: ...
    @property
    def history(self) -> HistorySnapshot: ...
    @property
    def members(self) -> Sequence[HistorySnapshot]:
        """One history a seed where several were trained at once; else none."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing about an experiment.

    Args:
        name: in a sentence.
        part: how its value `{}` stands in the name of a run.
        words: its value, exactly; None where it plays no part.
        counts: whether values that differ are a change of this thing, and not of another one that they depend on.
    """

    name: str
    part: str
    words: Callable[[ComparedRun], str | None]
    counts: Callable[[Sequence[ComparedRun]], bool] = lambda runs: True


@dataclass(frozen=True, slots=True)
class Difference:
    """A thing that varies among runs: its value in each, None where it plays no part."""

    thing: Thing
    values: tuple[str | None, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """The values as they stand in a run's name; "" where the thing plays no part."""
        return tuple("" if value is None else self.thing.part.format(value) for value in self.values)


def differences(runs: Sequence[ComparedRun]) -> tuple[Difference, ...]:
    """All things that vary among the runs. Device and implementation are none: they change the rounding alone."""
    found = []
    for thing in THINGS:
        values = tuple(thing.words(run) for run in runs)
        if len(set(values) - {None}) > 1 and thing.counts(runs):
            found.append(Difference(thing, values))
    return tuple(found)


def short_name(run: ComparedRun, limit: int) -> str:
    """What is special about a run, in at most `limit` characters: activation, units and lr, then all that is not as in the book."""
    shape = f"{_activation(run)} {_units(run)}" if run.spec.hidden else "softmax regression"
    parts = [shape, LR.part.format(_lr(run))] + ([f"{len(run.members)} seeds"] if run.members else [])
    parts += [thing.part.format(value) for thing, value in _unlike_the_book(run) if thing not in (DEPTH, UNITS, ACTIVATION, LR)]
    name = ", ".join(parts)
    while len(name) > limit and len(parts) > 1:
        parts.pop()
        name = ", ".join([*parts, "…"])
    return name if len(name) <= limit else f"{name[: limit - 1]}…"


def instead(run: ComparedRun, other: ComparedRun) -> str:
    """What a run has instead of another: "momentum 0.9 instead of 0"; "" where they differ in nothing."""
    return ", ".join(_instead(difference, run, other) for difference in differences((other, run)))


def _instead(difference: Difference, run: ComparedRun, other: ComparedRun) -> str:
    if difference.thing is CHANGES:
        new, old = (_briefly(one, words) for one, words in zip((run, other), reversed(difference.values), strict=True))
        return f"{new} instead of {old}" if _changes(other) else new
    if difference.thing is not OPTIMIZER or run.spec.optimizer != other.spec.optimizer:
        return f"{difference.parts[1]} instead of {difference.values[0]}"
    mine, theirs = _optimizer_settings(run), _optimizer_settings(other)
    changed = [(ours, old.removeprefix(ours.rpartition(" ")[0]).strip()) for ours, old in zip(mine, theirs, strict=True) if ours != old]
    return ", ".join(f"{ours} instead of {old}" for ours, old in changed)


def _unlike_the_book(run: ComparedRun) -> Iterator[tuple[Thing, str]]:
    for thing in THINGS:
        value = thing.words(run)
        if value is not None and value != thing.words(BOOK):
            yield thing, value


def _depth(run: ComparedRun) -> str:
    return str(len(run.spec.hidden))


def _units(run: ComparedRun) -> str | None:
    widths = run.spec.hidden
    if not widths:
        return None
    return f"{len(widths)}×{widths[0]}" if len(widths) > 1 and len(set(widths)) == 1 else "-".join(map(str, widths))


def _units_count(runs: Sequence[ComparedRun]) -> bool:
    """Whether a layer that two of the runs have has another width: one layer more is a change of their number alone."""
    widths = [run.spec.hidden for run in runs]
    return any(mine != theirs for one, other in combinations(widths, 2) for mine, theirs in zip(one, other, strict=False))


def _activation(run: ComparedRun) -> str | None:
    spec = run.spec
    if not spec.hidden:
        return None
    if spec.expression is not None:
        return spec.expression
    activation, value = ACTIVATIONS[spec.activation], spec.activation_parameter
    if activation.parameter is None or value is None:
        return activation.label
    return f"{activation.label} ({activation.parameter.symbol} = {exactly(value)})"


def _dropout(run: ComparedRun) -> str | None:
    rates = run.spec.dropout
    if not any(rates):
        return "none"
    return exactly(rates[0]) if len(set(rates)) == 1 else ", ".join(map(exactly, rates))


def _optimizer(run: ComparedRun) -> str:
    """The rule with those of its settings that are not at their defaults."""
    settings = zip(_optimizer_settings(run), _optimizer_settings(replace(BOOK, spec=RunSpec(optimizer=run.spec.optimizer))), strict=True)
    return " ".join([OPTIMIZERS[run.spec.optimizer].label, *(words for words, default in settings if words != default)])


def _optimizer_settings(run: ComparedRun) -> list[str]:
    """All settings of the rule, in words, always in the same order."""
    spec, rule = run.spec, OPTIMIZERS[run.spec.optimizer]
    nesterov = spec.nesterov and spec.momentum > 0
    symbols = {"momentum": "Nesterov momentum" if nesterov else "momentum", "beta1": "β₁", "beta2": "β₂", "rho": "ρ", "eps": "ε"}
    return [f"{symbol} {exactly(getattr(spec, name))}" for name, symbol in symbols.items() if name in rule.settings]


def _lr(run: ComparedRun) -> str:
    return exactly(run.spec.lr) + (" / batch size" if run.spec.divide_by_batch else "")


def _changes(run: ComparedRun) -> list[SettingChange]:
    """Those in mid-run that a step was taken with."""
    last = run.history.steps[-1] if run.history.steps else 0
    return [change for change in run.history.changes if change.step < last]


def _changes_words(run: ComparedRun) -> str:
    changes = (f"{CHANGEABLE[change.field]} {_exactly(change.value)} after step {change.step:,}" for change in _changes(run))
    return ", ".join(changes) or "none"


def _briefly(run: ComparedRun, words: str | None) -> str:
    """The words of its changes in mid-run, as far as a name has room for them."""
    changes = len(_changes(run))
    return f"{changes} changes in mid-run" if changes > MOST_CHANGES else str(words) if changes else "no change in mid-run"


def _exactly(value: float | tuple[float, ...]) -> str:
    return ", ".join(map(exactly, value)) or "0" if isinstance(value, tuple) else exactly(value)


def _train_size(run: ComparedRun) -> str:
    size = run.spec.train_size
    return "all" if size is None or size >= MAX_TRAIN_SIZE else f"{size:,}"


@dataclass(frozen=True, slots=True)
class _NotBegun:
    """An experiment of which nothing happened yet."""

    spec: RunSpec
    history: HistorySnapshot = field(default_factory=lambda: History().snapshot())
    members: tuple[HistorySnapshot, ...] = ()


BOOK = _NotBegun(RunSpec())
DEPTH = Thing("number of hidden layers", "depth {}", _depth)
UNITS = Thing("hidden units", "units {}", _units, _units_count)
ACTIVATION = Thing("activation", "{}", _activation)
OPTIMIZER = Thing("optimizer", "{}", _optimizer)
LR = Thing("lr", "lr {}", _lr)
CHANGES = Thing("changes in mid-run", "{}", _changes_words)
BATCH_SIZE = Thing("batch size", "batch {}", lambda run: str(run.spec.batch_size))
TRAIN_SIZE = Thing("number of training images", "{} images", _train_size)
EPOCHS = Thing("number of epochs", "{} epochs", lambda run: str(run.spec.epochs))
SEED = Thing("seed", "seed {}", lambda run: str(run.spec.seed))
THINGS = (
    DEPTH,
    UNITS,
    ACTIVATION,
    Thing("initial weights", "{}", lambda run: INITIALIZERS[run.spec.init].described(run.spec)),
    Thing("dropout", "dropout {}", _dropout),
    OPTIMIZER,
    LR,
    CHANGES,
    Thing("weight decay", "weight decay {}", lambda run: exactly(run.spec.weight_decay)),
    Thing("L1 penalty", "L1 {}", lambda run: exactly(run.spec.l1)),
    BATCH_SIZE,
    TRAIN_SIZE,
    Thing("precision of the products", "{}", lambda run: run.spec.precision),
    EPOCHS,
    SEED,
)
