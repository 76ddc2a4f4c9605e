"""What a sweep trains: which settings take which values, in which cells, from how many seeds, and what is trained at once.

A `Plan` that exists can be carried out; every cell of one that cannot is named. All that follows from a plan, its cells, its rungs and how
they are parted into tasks, follows from it alone: wherever and however often it is carried out, it is the same.
"""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, TypeVar

from mlp_core.bounds import Bounds, SpecError, check_choice, check_numbers
from mlp_core.expression import ExpressionError, resolve
from mlp_core.initializers import INITIALIZERS
from mlp_core.network.network import count as counts_of
from mlp_core.optimizers import OPTIMIZERS
from mlp_core.spec import (
    BOUNDS,
    DEVICES,
    IMPLEMENTATIONS,
    LISTS,
    MAX_LAYERS,
    MAX_SEED,
    OPTIONAL,
    PRECISIONS,
    SWITCHES,
    RunSpec,
    check_step,
    query_of,
    read_field,
    step_flops,
    weight_count,
)
from mlp_core.training.replicates import OWN
from mlp_core.words import Message, count, counted, joined, listed

METHODS = ("grid", "random", "halving")
FIELDS = tuple(one.name for one in fields(RunSpec) if one.name != "seed")  # that an axis may vary
CHOICES = {
    "init": tuple(INITIALIZERS),
    "optimizer": tuple(OPTIMIZERS),
    "implementation": IMPLEMENTATIONS,
    "precision": PRECISIONS,
    "device": DEVICES,
}
NUMBERS = BOUNDS | OPTIONAL | LISTS  # that an interval may be of; of a list, it is of lists of one number
# Drawn so that every factor is as likely as another: from 0.001 to 0.01 as often as from 0.1 to 1.
LOGARITHMIC = frozenset(
    ("lr", "weight_decay", "l1", "init_std", "init_noise", "eps", "hidden", "batch_size", "epochs", "train_size"),
)
Item = TypeVar("Item")
INTERVAL = ".."
DRAWN_DIGITS = 4  # significant, of a number that is drawn: nobody needs more, and every machine rounds to the same
MAX_VALUES = 1000  # of an axis
MAX_CELLS = 10_000
MAX_RUNS = 50_000
SEEDS, SAMPLES, ETA = Bounds(1, 100, whole=True), Bounds(1, MAX_CELLS, whole=True), Bounds(2, 10, whole=True)
DRAWS_A_CELL = 100  # before it is given up to find one more that differs from the others
NAMED = 20  # problems in an error's text; `PlanError.problems` has all

# Trained at once, a run of lr × seed takes this share of the processor time that it takes alone; one core, with other work beside, medians
# of three pairs (batch of 32 images; of 256):
#   hidden 64        4 runs 0.49; 0.65   8 runs 0.45; 0.58   16 runs 0.35; 0.58   32 runs 0.38; 0.48   64 runs 0.35; 0.47
#   hidden 256       4 runs 0.76; 0.82   8 runs 0.77; 0.73   16 runs 0.70; 0.80   32 runs 0.77; 0.84   64 runs 0.95; 0.83
#   hidden 512,512   4 runs 0.82; 0.89   6 runs 0.81; 0.87   16 runs 0.75
#   hidden 1024      4 runs 0.87; 0.89   6 runs 0.93; 0.88   16 runs 1.15; 0.95
# More than 32 gain nothing, and a killed worker loses what trains at once. All weights must fit into the processor's cache.
MOST_TOGETHER = 32
MOST_PARAMETERS = 700_000  # of a network that is not trained alone: hidden 512,512 has 670,000, hidden 1024 has 814,000
MOST_PARAMETERS_TOGETHER = 7_000_000
MOST_FLOPS_TOGETHER = 3_000_000_000  # of a step, which is the smallest piece of work: some 25 ms
MOST_BYTES_TOGETHER = 256_000_000
TOGETHER = Bounds(1, 64, whole=True)


class PlanError(ValueError):
    """A plan that cannot be carried out. `str()` names what is wrong with it, cell by cell; `problems` holds all of it.

    Args:
        problems: one a field or cell: a field, a rule and a value, as in a `SpecError`; where it is a cell's, `field` begins with its name.
    """

    def __init__(self, problems: Sequence[SpecError]) -> None:
        self.problems = tuple(problems)
        named = [Message("{problem}.", problem=problem.args[0]) for problem in self.problems[:NAMED]]
        rest = len(self.problems) - len(named)
        super().__init__(joined(*named, counted(rest, "{n} more is wrong.", "{n} more are wrong.") if rest else ""))

    def __reduce__(self) -> tuple[type[PlanError], tuple[tuple[SpecError, ...]]]:
        return PlanError, (self.problems,)


def _refused(field: str, rule: str, value: object) -> PlanError:
    return PlanError([SpecError(field, rule, value)])


@dataclass(frozen=True, slots=True)
class Axis:
    """One setting that is varied: over values, or, where cells are drawn, over an interval.

    Args:
        field: of `RunSpec`, any but the seed.
        values: in a grid each of them, else one is drawn.
        low, high: the ends of an interval, both included. Of `LOGARITHMIC` fields its logarithm is drawn evenly, else the number; whole
            where the field is.

    Raises:
        PlanError: naming the field, the rule and the value.
    """

    field: str
    values: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if self.field not in FIELDS:
            raise _not_to_be_varied(self.field, self.values)
        name = self.field
        if self.interval:
            if self.values or name not in NUMBERS:
                raise _refused(name, Message("must be values, or an interval of numbers"), self.values or (self.low, self.high))
            low, high = _each((self.low, self.high), lambda end: NUMBERS[name].check(name, end))
            if not low < high:
                raise _refused(name, Message("must be an interval from a smaller to a larger number"), (low, high))
            if name in LOGARITHMIC and low <= 0:
                raise _refused(name, Message("must be an interval above 0, since its logarithm is drawn evenly"), (low, high))
            object.__setattr__(self, "low", low)
            object.__setattr__(self, "high", high)
            return
        if not isinstance(self.values, (tuple, list)) or not 0 < len(self.values) <= MAX_VALUES:
            raise _refused(name, Message("must have 1 to {most} values", most=count(MAX_VALUES)), self.values)
        object.__setattr__(self, "values", _each(self.values, _once(name, lambda value: _checked(name, value))))

    @property
    def interval(self) -> bool:
        return self.low is not None or self.high is not None

    @property
    def text(self) -> str:
        """As `parse` reads it: "lr=0.01,0.1", "hidden=64;256,256", "lr=0.001..1.0"."""
        if self.interval:
            return f"{self.field}={self.low!r}{INTERVAL}{self.high!r}"
        texts = [query_of({self.field: value})[self.field] for value in self.values]
        return f"{self.field}={_separator(self.field, ''.join(texts)).join(texts)}"

    @classmethod
    def parse(cls, text: str) -> Axis:
        """Read "field=value,value". Lists and expressions, which may have commas themselves, are parted by ";"; `low..high` is an interval.

        "lr=0.01,0.1,1", "hidden=64;256;256,256", "dropout=none;0.5", "activation==x*sigmoid(x);relu", "lr=0.001..1"

        Raises:
            PlanError: naming the field, the rule and the value.
        """
        name, equals, rest = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise _refused("axis", Message("must be field=value,value or field=low..high"), text)
        if name not in FIELDS:
            raise _not_to_be_varied(name, rest)
        if name in NUMBERS and INTERVAL in rest:
            low, high = _each(rest.split(INTERVAL, 1), lambda end: NUMBERS[name].check(name, NUMBERS[name].read(name, end.strip())))
            return cls(name, low=low, high=high)
        parts = rest.split(_separator(name, rest))
        if len(parts) > MAX_VALUES:
            return cls(name, tuple(parts))  # which says so
        return cls(name, _each(parts, _once(name, lambda part: _checked(name, read_field(name, part.strip())))))

    @property
    def size(self) -> float:
        """How many values it has; infinity for an interval of numbers that need not be whole."""
        if self.low is None or self.high is None:
            return len(self.values)
        return self.high - self.low + 1 if NUMBERS[self.field].whole else math.inf

    def drawn(self, share: float) -> Any:
        """The value at a share 0 <= share < 1 of all, in the order of the values or from low to high."""
        if self.low is None or self.high is None:
            return self.values[int(share * len(self.values))]
        low, high, whole = self.low, self.high, NUMBERS[self.field].whole
        top = high + 1 if whole else high
        value = low * (top / low) ** share if self.field in LOGARITHMIC else low + (top - low) * share
        number = float(math.floor(value)) if whole else float(f"{value:.{DRAWN_DIGITS}g}")
        number = min(max(number, low), high)
        number = int(number) if whole else number
        return (number,) if self.field in LISTS else number


def _separator(name: str, text: str) -> str:
    return ";" if name in LISTS or (name == "activation" and ("=" in text or ";" in text)) else ","


def _not_to_be_varied(name: str, values: object) -> PlanError:
    if name == "seed":
        return _refused("seed", Message("is varied by the number of seeds, from the first one on"), values)
    return _refused(str(name)[:60], Message("is not a field of an experiment"), values)


def _each(items: Iterable[Item], check: Callable[[Item], Any]) -> tuple[Any, ...]:
    """What a check makes of all items.

    Raises:
        PlanError: naming every one that it refuses.
    """
    made, problems = list[Any](), list[SpecError]()
    for item in items:
        try:
            made.append(check(item))
        except SpecError as error:
            problems.append(error)
    if problems:
        raise PlanError(problems)
    return tuple(made)


def _once(name: str, check: Callable[[Item], Any]) -> Callable[[Item], Any]:
    """A check that refuses what it has made before, too."""
    before = set[Any]()

    def checked(item: Item) -> Any:
        if (value := check(item)) in before:
            raise SpecError(name, Message("must not have a value twice"), value)
        before.add(value)
        return value

    return checked


def _checked(name: str, value: object) -> Any:
    """The value of one field as a `RunSpec` would keep it, by the rules that hang on no other field."""
    if name in LISTS:
        return check_numbers(name, value, LISTS[name], MAX_LAYERS)
    if name in OPTIONAL and value is None:
        return None
    if name in NUMBERS:
        return NUMBERS[name].check(name, value)
    if name in SWITCHES:
        if not isinstance(value, bool):
            raise SpecError(name, Message("must be true or false"), value)
        return value
    if name in CHOICES:
        check_choice(name, value, CHOICES[name])
        return value
    if not isinstance(value, str):
        raise SpecError(name, Message("must be a name or '=' and an expression in x"), value)
    _compiled(value)
    return value


def _compiled(activation: str) -> int:
    """How many operations an activation has on every unit."""
    try:
        return resolve(activation).operations
    except ExpressionError as error:
        raise SpecError("activation", Message("must be an expression in x ({why})", why=error.args[0]), activation) from error


@dataclass(frozen=True, slots=True)
class Cell:
    """One choice of values.

    Attributes:
        index: its place in the plan, from 0.
        values: field -> value of every axis.
        spec: the experiment with these values, from the first seed.
    """

    index: int
    values: Mapping[str, Any]
    spec: RunSpec

    @property
    def name(self) -> str:
        """Its values as a link says them: "lr 0.1, hidden 256,256"; where nothing is varied, that it is the only one."""
        return listed([f"{name} {text}" for name, text in query_of(self.values).items()]) or Message("the only cell")

    def specs(self, seeds: int, epochs: int | None = None) -> tuple[RunSpec, ...]:
        """The experiment from each of so many seeds, the first one on; over other epochs where they are given."""
        return tuple(self.from_seed(self.spec.seed + offset, epochs) for offset in range(seeds))

    def from_seed(self, seed: int, epochs: int | None = None) -> RunSpec:
        """The experiment from one seed."""
        return replace(self.spec, seed=seed, epochs=self.spec.epochs if epochs is None else epochs)


@dataclass(frozen=True, slots=True)
class Rung:
    """One round of a sweep: so many cells, each trained from the beginning over so many epochs, None for those of its own design."""

    epochs: int | None
    cells: int


def halving(cells: int, epochs: int, eta: int) -> tuple[Rung, ...]:
    """The rounds of successive halving.

    With n cells, R epochs and s = min(floor(log_eta n), floor(log_eta R)), round i of 0 … s has floor(n / eta^i) cells and
    floor(R / eta^(s - i)) epochs.
    """
    last = 0
    while eta ** (last + 1) <= min(cells, epochs):
        last += 1
    return tuple(Rung(epochs // eta ** (last - index), cells // eta**index) for index in range(last + 1))


@dataclass(frozen=True, slots=True)
class Plan:
    """A sweep, checked: which cells, how often, how long.

    Args:
        base: the design that all cells share but for the axes; its seed is the first.
        axes: the settings that are varied.
        method: "grid", every combination of the values; "random", so many cells drawn; "halving", successive halving: all cells for a few
            epochs, the best of each `eta` for `eta` times as many, and so on up to those of the base. It begins with the whole grid where
            every axis has values, else with cells that are drawn.
        seeds: how many runs each cell has.
        samples: how many cells are drawn.
        eta: of successive halving.
        draw_seed: of the cells that are drawn; more samples begin with the same cells.
        together: how many runs are trained at once, at most; fewer where more are no faster. A task is what one worker does at a
            time: many workers want smaller ones than few. What is trained at once differs from single runs by rounding.

    Raises:
        PlanError: naming every field, and every cell, that breaks a rule.

    Reference: Jamieson and Talwalkar (2016), "Non-stochastic best arm identification and hyperparameter optimization", section 3;
    Bergstra and Bengio (2012), "Random search for hyper-parameter optimization".
    """

    base: RunSpec = field(default_factory=RunSpec)
    axes: tuple[Axis, ...] = ()
    method: str = "grid"
    seeds: int = 1
    samples: int = 20
    eta: int = 3
    draw_seed: int = 0
    together: int = MOST_TOGETHER
    cells: tuple[Cell, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", tuple(self.axes))
        problems = list(self._problems())
        if problems:
            raise PlanError(problems)
        cells, broken = list[Cell](), list[SpecError]()
        seen: dict[RunSpec, str] = {}
        for index, values in enumerate(self._choices()):
            cell = Cell(index, values, self.base)
            try:
                spec = replace(self.base, **values)
                check_step(spec.batch_size, spec.sizes, operations=_compiled(spec.activation))
                if spec in seen:
                    raise SpecError("cell", Message("must differ from every other, {other}", other=seen[spec]), cell.name)
                seen[spec] = cell.name
                cells.append(replace(cell, spec=spec))
            except SpecError as error:
                place = Message("{cell}: {field}", cell=cell.name, field=error.field) if cell.values else error.field
                broken.append(SpecError(place, error.rule, error.value))
        if broken:
            raise PlanError(broken)
        object.__setattr__(self, "cells", tuple(cells))

    def _problems(self) -> Iterator[SpecError]:
        """What is wrong with the plan itself, before any cell is looked at."""
        yield from (problem := list(self._of_numbers()) + list(self._of_axes()))
        if not problem:
            yield from self._of_sizes()

    def _of_numbers(self) -> Iterator[SpecError]:
        for name, bounds in (("seeds", SEEDS), ("samples", SAMPLES), ("eta", ETA), ("draw_seed", BOUNDS["seed"]), ("together", TOGETHER)):
            try:
                object.__setattr__(self, name, bounds.check(name, getattr(self, name)))
            except SpecError as error:
                yield error
        if self.method not in METHODS:
            yield SpecError("method", Message("must be one of {choices}", choices=", ".join(METHODS)), self.method)

    def _of_axes(self) -> Iterator[SpecError]:
        names = [axis.field for axis in self.axes]
        for index, axis in enumerate(self.axes):
            if axis.field in names[:index]:
                yield SpecError(axis.field, Message("must not be varied twice"), axis.text)
            if axis.field == "epochs" and self.method == "halving":
                yield SpecError("epochs", Message("cannot be varied where halving chooses them"), axis.text)
            if axis.interval and self.method == "grid":
                yield SpecError(axis.field, Message("must be values in a grid; an interval is to draw from"), axis.text)

    def _of_sizes(self) -> Iterator[SpecError]:
        cells = self.samples if self._draws else math.prod(len(axis.values) for axis in self.axes)
        if cells > MAX_CELLS:
            yield SpecError("axes", Message("must make at most {most} cells", most=count(MAX_CELLS)), cells)
        elif cells * self.seeds > MAX_RUNS:
            yield SpecError("seeds", Message("must make at most {most} runs of all cells", most=count(MAX_RUNS)), self.seeds)
        if self.base.seed > MAX_SEED - self.seeds + 1:
            rule = Message("must be at most {most}, to be the first of {seeds}", most=MAX_SEED - self.seeds + 1, seeds=self.seeds)
            yield SpecError("seed", rule, self.base.seed)
        if self._draws and self.samples > (possible := math.prod(axis.size for axis in self.axes)):
            yield SpecError("samples", Message("must be at most {most}, as many cells as there are", most=count(possible)), self.samples)

    @property
    def _draws(self) -> bool:
        return self.method == "random" or (self.method == "halving" and any(axis.interval for axis in self.axes))

    def _choices(self) -> Iterable[dict[str, Any]]:
        names = [axis.field for axis in self.axes]
        if not self._draws:
            return (dict(zip(names, values, strict=True)) for values in itertools.product(*(axis.values for axis in self.axes)))
        drawn, generator = dict[tuple[Any, ...], None](), random.Random(self.draw_seed)
        for _ in range(DRAWS_A_CELL * self.samples):
            drawn[tuple(axis.drawn(generator.random()) for axis in self.axes)] = None
            if len(drawn) == self.samples:
                break
        else:
            raise _refused("samples", Message("must be at most {most}, as many cells as there are", most=count(len(drawn))), self.samples)
        return [dict(zip(names, values, strict=True)) for values in drawn]

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """The rounds, one but for successive halving."""
        if self.method != "halving":
            return (Rung(None, len(self.cells)),)
        return halving(len(self.cells), self.base.epochs, self.eta)

    @property
    def runs(self) -> int:
        """All of them, of successive halving those of all rounds."""
        return self.seeds * sum(rung.cells for rung in self.rungs)

    def images(self, train_count: int) -> int:
        """Training images that the whole sweep uses, each epoch counted anew: its budget.

        Exact; but where the number of images itself is varied, successive halving counts with those that have the most.

        Args:
            train_count: of the data set.
        """
        if self.method == "halving":
            each = sorted((images_of(cell.spec, train_count) // cell.spec.epochs for cell in self.cells), reverse=True)
            return self.seeds * sum((rung.epochs or 0) * sum(each[: rung.cells]) for rung in self.rungs)
        return self.seeds * sum(images_of(cell.spec, train_count) for cell in self.cells)

    def to_json(self) -> str:
        content = {one.name: getattr(self, one.name) for one in fields(self) if one.init}
        return json.dumps(content | {"base": asdict(self.base), "axes": [axis.text for axis in self.axes]})

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Read what `to_json` wrote; absent fields take their defaults.

        Raises:
            PlanError: not a JSON object, an unknown field, or one that breaks its rule.
        """
        rule = Message("must be a JSON object")
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _refused("plan", rule, text) from error
        if not isinstance(content, dict):
            raise _refused("plan", rule, content)
        known = {one.name for one in fields(cls) if one.init}
        for name in content:
            if name not in known:
                raise _refused(str(name)[:60], Message("is not a field of a sweep"), content[name])
        axes = content.pop("axes", [])
        if not isinstance(axes, list) or not all(isinstance(axis, str) for axis in axes):
            raise _refused("axes", Message("must be a list of texts such as lr=0.1,1"), axes)
        try:
            base = RunSpec.from_json(json.dumps(content.pop("base", {})))
        except SpecError as error:
            raise PlanError([error]) from error
        return cls(base, tuple(map(Axis.parse, axes)), **content)


def images_of(spec: RunSpec, train_count: int) -> int:
    """Training images that a run uses, each epoch counted anew; `train_count` are those of the data set."""
    return spec.epochs * min(spec.train_size or train_count, train_count)


@dataclass(frozen=True, slots=True)
class Task:
    """Runs that one worker trains in one go: at once, or a single one.

    Args:
        rung: which round of the plan they belong to, from 0.
        cells: the index of each one's cell.
        specs: the experiments, as many.
    """

    rung: int
    cells: tuple[int, ...]
    specs: tuple[RunSpec, ...]

    @property
    def keys(self) -> tuple[tuple[int, int, int], ...]:
        """Round, cell and seed of each run."""
        return tuple((self.rung, cell, spec.seed) for cell, spec in zip(self.cells, self.specs, strict=True))


def tasks(plan: Plan, rung: int, cells: Iterable[int]) -> tuple[Task, ...]:
    """The runs of some cells in one round, each from every seed, parted into tasks.

    Networks that may be trained at once (`Together`) go together, where that is faster: all cells of a seed in a row, as many of each,
    since these share their images. The parts hang on nothing but what is asked here, so the numbers do not change with the workers.
    """
    epochs, some = plan.rungs[rung].epochs, [plan.cells[index] for index in sorted(set(cells))]
    return tuple(task for group in _groups(some) for task in _parts(plan, rung, group, epochs))


def most_bytes(plan: Plan) -> int:
    """What the networks of a task hold at the most, in whatever round, and whichever cells it has."""
    held = []
    for group in _groups(plan.cells):
        together = min(most_together(group[0].spec, plan.together), plan.seeds * len(group))
        held.append(together * max(counts_of(cell.spec, cell.spec.sizes).training_bytes for cell in group))
    return max(held)


def _groups(cells: Iterable[Cell]) -> list[list[Cell]]:
    """The cells that may be trained at once."""
    groups: dict[tuple[Any, ...], list[Cell]] = {}
    for cell in cells:
        groups.setdefault(_shared(cell.spec), []).append(cell)
    return list(groups.values())


def _parts(plan: Plan, rung: int, group: Sequence[Cell], epochs: int | None) -> Iterator[Task]:
    most = most_together(group[0].spec, plan.together)
    for some in _evenly(group, most):
        specs = [cell.specs(plan.seeds, epochs) for cell in some]
        for offsets in _evenly(range(plan.seeds), max(1, most // len(some))):
            indices = tuple(cell.index for _ in offsets for cell in some)
            yield Task(rung, indices, tuple(own[offset] for offset in offsets for own in specs))


def _evenly(items: Sequence[Item], most: int) -> Iterator[Sequence[Item]]:
    """The items in as few parts of at most `most` as there can be, none longer by two than another."""
    parts = math.ceil(len(items) / most)
    for part in range(parts):
        yield items[len(items) * part // parts : len(items) * (part + 1) // parts]


def _shared(spec: RunSpec) -> tuple[Any, ...]:
    """All settings in which runs that are trained at once must be equal."""
    return tuple(getattr(spec, one.name) for one in fields(spec) if one.name not in OWN)


def most_together(spec: RunSpec, most: int = MOST_TOGETHER) -> int:
    """How many runs of a design, at most `most`, are trained at once: as many as is faster, and as a step and the memory may hold."""
    parameters = weight_count(spec.sizes)
    if parameters > MOST_PARAMETERS:
        return 1
    flops = step_flops(spec.sizes, spec.batch_size, _compiled(spec.activation))
    held = counts_of(spec, spec.sizes).training_bytes
    return max(1, min(most, MOST_PARAMETERS_TOGETHER // parameters, MOST_FLOPS_TOGETHER // flops, MOST_BYTES_TOGETHER // held))
