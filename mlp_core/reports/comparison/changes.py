"""What was changed between experiments: each thing that a person varies, its value in words.

A thing is what one decision changes, which is not always one field of a `RunSpec`: the standard deviation belongs to the initial weights
it is of, momentum to its optimizer, and a field that plays no part (the activation where there is no hidden layer) is no difference.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import combinations
from typing import Protocol

from mlp_core.activations import ACTIVATIONS
from mlp_core.initializers import INITIALIZERS
from mlp_core.optimizers import OPTIMIZERS
from mlp_core.records import CHANGED_TO, History, HistorySnapshot, SettingChange
from mlp_core.spec import MAX_TRAIN_SIZE, RunSpec
from mlp_core.words import Message, count, counted, exactly, listed

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
        part: how its `{value}` stands in the name of a run.
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
        return tuple("" if value is None else Message(self.thing.part, value=value) for value in self.values)


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
    activation, units = _activation(run), _units(run)
    shape = Message("{activation} {units}", activation=activation, units=units) if run.spec.hidden else Message("softmax regression")
    parts = [shape, Message(LR.part, value=_lr(run))]
    parts += [counted(len(run.members), "{n} seed", "{n} seeds")] if run.members else []
    parts += [Message(thing.part, value=value) for thing, value in _unlike_the_book(run) if thing not in (DEPTH, UNITS, ACTIVATION, LR)]
    name = _beside(parts)
    while len(name) > limit and len(parts) > 1:
        parts.pop()
        name = _beside([*parts, "…"])
    return name if len(name) <= limit else f"{name[: limit - 1]}…"


def instead(run: ComparedRun, other: ComparedRun) -> str:
    """What a run has instead of another: "momentum 0.9 instead of 0"; "" where they differ in nothing."""
    return _beside([_instead(difference, run, other) for difference in differences((other, run))])


def _instead(difference: Difference, run: ComparedRun, other: ComparedRun) -> str:
    if difference.thing is CHANGES:
        new, old = (_briefly(one, words) for one, words in zip((run, other), reversed(difference.values), strict=True))
        return Message("{value} instead of {other}", value=new, other=old) if _changes(other) else new
    if difference.thing is not OPTIMIZER or run.spec.optimizer != other.spec.optimizer:
        return Message("{value} instead of {other}", value=difference.parts[1], other=difference.values[0])
    settings = zip(_optimizer_settings(run), _optimizer_settings(other), strict=True)
    changed = [
        (mine, theirs.values["value"] if mine.template == theirs.template else theirs) for mine, theirs in settings if mine != theirs
    ]
    return _beside([Message("{value} instead of {other}", value=mine, other=theirs) for mine, theirs in changed])


def _beside(parts: Sequence[str]) -> str:
    """Parts of a name, which may be lists themselves."""
    return reduce(lambda before, part: Message("{part}, {next_part}", part=before, next_part=part), parts) if parts else ""


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
    symbol = activation.parameter.symbol
    return Message("{activation} ({symbol} = {value})", activation=activation.label, symbol=symbol, value=exactly(value))


def _dropout(run: ComparedRun) -> str | None:
    rates = run.spec.dropout
    if not any(rates):
        return Message("none")
    return exactly(rates[0]) if len(set(rates)) == 1 else listed([*map(exactly, rates)])


def _optimizer(run: ComparedRun) -> str:
    """The rule with those of its settings that are not at their defaults."""
    settings = zip(_optimizer_settings(run), _optimizer_settings(replace(BOOK, spec=RunSpec(optimizer=run.spec.optimizer))), strict=True)
    words: str = OPTIMIZERS[run.spec.optimizer].label
    for setting, default in settings:
        if setting != default:
            words = Message("{rule} {setting}", rule=words, setting=setting)
    return words


def _optimizer_settings(run: ComparedRun) -> list[Message]:
    """All settings of the rule, in words, always in the same order."""
    spec, rule = run.spec, OPTIMIZERS[run.spec.optimizer]
    nesterov = spec.nesterov and spec.momentum > 0
    momentum = Message("Nesterov momentum {value}") if nesterov else Message("momentum {value}")
    parts = {"momentum": momentum, "beta1": "β₁ {value}", "beta2": "β₂ {value}", "rho": "ρ {value}", "eps": "ε {value}"}
    return [Message(part, value=exactly(getattr(spec, name))) for name, part in parts.items() if name in rule.settings]


def _lr(run: ComparedRun) -> str:
    lr = exactly(run.spec.lr)
    return Message("{lr} / batch size", lr=lr) if run.spec.divide_by_batch else lr


def _changes(run: ComparedRun) -> list[SettingChange]:
    """Those in mid-run that a step was taken with."""
    last = run.history.steps[-1] if run.history.steps else 0
    return [change for change in run.history.changes if change.step < last]


def _changes_words(run: ComparedRun) -> str:
    changes = [
        Message(
            "{change} after step {step}", change=Message(CHANGED_TO[change.field], value=_exactly(change.value)), step=count(change.step)
        )
        for change in _changes(run)
    ]
    return _beside(changes) or Message("none")


def _briefly(run: ComparedRun, words: str | None) -> str:
    """The words of its changes in mid-run, as far as a name has room for them."""
    changes = len(_changes(run))
    if changes > MOST_CHANGES:
        return counted(changes, "{n} change in mid-run", "{n} changes in mid-run")
    return words if changes and words is not None else Message("no change in mid-run")


def _exactly(value: float | tuple[float, ...]) -> str:
    return listed([*map(exactly, value)]) or "0" if isinstance(value, tuple) else exactly(value)


def _train_size(run: ComparedRun) -> str:
    size = run.spec.train_size
    return Message("all") if size is None or size >= MAX_TRAIN_SIZE else count(size)


@dataclass(frozen=True, slots=True)
class _NotBegun:
    """An experiment of which nothing happened yet."""

    spec: RunSpec
    history: HistorySnapshot = field(default_factory=lambda: History().snapshot())
    members: tuple[HistorySnapshot, ...] = ()


BOOK = _NotBegun(RunSpec())
DEPTH = Thing(Message("number of hidden layers"), Message("depth {value}"), _depth)
UNITS = Thing(Message("hidden units"), Message("units {value}"), _units, _units_count)
ACTIVATION = Thing(Message("activation"), "{value}", _activation)
OPTIMIZER = Thing(Message("optimizer"), "{value}", _optimizer)
LR = Thing("lr", Message("lr {value}"), _lr)
CHANGES = Thing(Message("changes in mid-run"), "{value}", _changes_words)
BATCH_SIZE = Thing(Message("batch size"), Message("batch {value}"), lambda run: str(run.spec.batch_size))
TRAIN_SIZE = Thing(Message("number of training images"), Message("{value} images"), _train_size)
EPOCHS = Thing(Message("number of epochs"), Message("{value} epochs"), lambda run: str(run.spec.epochs))
SEED = Thing(Message("seed"), Message("seed {value}"), lambda run: str(run.spec.seed))
THINGS = (
    DEPTH,
    UNITS,
    ACTIVATION,
    Thing(Message("initial weights"), "{value}", lambda run: INITIALIZERS[run.spec.init].described(run.spec)),
    Thing(Message("dropout"), Message("dropout {value}"), _dropout),
    OPTIMIZER,
    LR,
    CHANGES,
    Thing(Message("weight decay"), Message("weight decay {value}"), lambda run: exactly(run.spec.weight_decay)),
    Thing(Message("L1 penalty"), Message("L1 {value}"), lambda run: exactly(run.spec.l1)),
    BATCH_SIZE,
    TRAIN_SIZE,
    Thing(Message("precision of the products"), "{value}", lambda run: run.spec.precision),
    EPOCHS,
    SEED,
)
