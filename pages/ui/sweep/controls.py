"""What is swept, as the page's widgets and its link say it: which settings take which values, how often, and what all runs share."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import streamlit as st

from mlp_core.activations import trainable_activations
from mlp_core.optimizers import OPTIMIZERS
from mlp_core.spec import BOUNDS, MAX_TRAIN_SIZE, SWITCHES, TRAIN_SIZE_BOUNDS, Bounds, RunSpec, SpecError, query_of
from mlp_core.sweep.carry_out import check_here
from mlp_core.sweep.plan import CHOICES, ETA, METHODS, SEEDS, Axis, Plan, PlanError, Rung, halving
from mlp_core.words import Message, count, counted
from pages.language import _, said
from pages.ui.link import Field, LinkState, choice, link_to, number, read_link, text, write_link
from pages.ui.parameter_names import parameter_name
from pages.ui.run.network_state import activation_label
from pages.ui.sweep import running
from pages.ui.text import escaped, refused
from pages.ui.unbroken import unbroken

PAGE = "sweep"
DESIGN = "design"  # what all cells share but for what is varied, and for the epochs, images and seed that have widgets
SHARED = ("epochs", "train_size", "seed")
BEGIN = RunSpec(epochs=3, train_size=5000)  # so that a small server answers within seconds
NO_FIELD = "none"
AXES = ("axis_1", "axis_2", "axis_3")
DEFAULT_AXES = ("lr=0.01,0.1,1", "hidden=64;256", NO_FIELD)
DEFAULT_SEEDS = 3
METHOD_LABELS = {"grid": Message("Grid"), "random": Message("Random"), "halving": Message("Halving")}
METHOD_HELP = Message(
    "**Grid**: every combination of the values. **Random**: so many cells drawn, from values or from an interval such as 0.001..1. "
    "**Halving**: all cells for a few epochs, the best of each η for η times as many, and so on."
)
MOST_RUNS = 300  # of a sweep on the page: what its pictures show, and a browser draws, at once
MOST_CELLS_SHOWN = 8  # whose curves are drawn over each other
MOST_PROBLEMS = 5  # that are named
LONGEST_VALUES = 400  # characters
VALUES = {  # what a setting that is chosen to be varied begins with
    "lr": "0.01,0.1,1",
    "hidden": "64;256;256,256",
    "activation": "relu,tanh,sigmoid",
    "optimizer": "sgd,adam",
    "init": "normal,xavier_normal,he_normal",
    "init_std": "0.001,0.01,0.1",
    "weight_decay": "0.0,0.001,0.01",
    "l1": "0.0,0.0001,0.001",
    "dropout": "none;0.2;0.5",
    "momentum": "0.0,0.5,0.9",
    "batch_size": "64,256,1024",
    "epochs": "1,2,4",
    "train_size": "500,1000,2000",
    "init_value": "0.01,0.1",
    "init_noise": "0.0,0.01",
    "activation_parameter": "0.01,0.1",
    "beta1": "0.5,0.9",
    "beta2": "0.9,0.999",
    "rho": "0.9,0.99",
    "eps": "1e-08,0.0001",
    "nesterov": "false,true",
    "divide_by_batch": "false,true",
    "precision": "float32,bfloat16",
    "implementation": "concise,scratch,by_hand",
    "device": "cpu",
}
OPTIONS = {"activation": trainable_activations()} | CHOICES | dict.fromkeys(SWITCHES, ("false", "true"))


def _axis(written: str) -> Axis | None:
    """One of the axes as a link says it; None where it varies nothing.

    Raises:
        PlanError: naming all that is wrong with it.
    """
    return None if written == NO_FIELD else Axis.parse(written)


def _of_parameter(parameter: str, problem: SpecError) -> SpecError:
    return SpecError(parameter, Message("{setting} {rule}", setting=problem.field, rule=problem.rule), problem.value)


def _widgets(axis: str) -> tuple[str, str]:
    """The names of the widgets of an axis: of its setting, and of its values."""
    place = axis.removeprefix("axis_")
    return f"field_{place}", f"values_{place}"


def _set(axis: str, written: str) -> dict[str, str]:
    name, _equals, values = written.partition("=")
    return dict(zip(_widgets(axis), (name, values), strict=True))


def _axis_fields() -> tuple[Field, ...]:
    return tuple(
        one
        for axis, written in zip(AXES, DEFAULT_AXES, strict=True)
        for name, values in [_widgets(axis)]
        for one in (
            choice(name, _set(axis, written)[name], (NO_FIELD, *VALUES)),
            text(values, _set(axis, written)[values], LONGEST_VALUES),
        )
    )


def query_with_design(spec: RunSpec) -> dict[str, str]:
    """The link of this page with a design of the training page. What has widgets here begins as it does without one, small enough for every
    server; a setting that another leans on is not varied at first.
    """
    query = {name: text for name, text in spec.to_query().items() if name not in SHARED}
    return query | ({AXES[1]: NO_FIELD} if spec.dropout else {})


def _read_cells(given: str) -> list[int]:
    parts = given.split(",")
    if not all(part.isascii() and part.isdecimal() and len(part) < 6 for part in parts) or len(set(parts)) < len(parts):
        raise SpecError("cells", Message("must be numbers of cells with commas between, each once"), given)
    return [int(part) for part in parts]


OWN = (  # fields of the link that are no settings of an experiment
    choice("method", METHODS[0], METHODS),
    number("seeds", DEFAULT_SEEDS, SEEDS),
    number("samples", 6, Bounds(1, MOST_RUNS, whole=True)),
    number("eta", 3, ETA),
    number("draw_seed", 0, BOUNDS["seed"]),
    Field("cells", [], _read_cells, lambda cells: ",".join(map(str, cells)), {"max_selections": MOST_CELLS_SHOWN}),
)
DRAWN = (  # settings with a widget
    number("epochs", BEGIN.epochs, Bounds(1, 100, whole=True)),
    number("train_size", BEGIN.train_size or MAX_TRAIN_SIZE, TRAIN_SIZE_BOUNDS, 1000),
    number("seed", BEGIN.seed, BOUNDS["seed"]),
)
SETTINGS = tuple(one.name for one in fields(RunSpec))
PARAMETERS = (*SETTINGS, *AXES, *(one.name for one in OWN))
LOCKABLE = (*AXES, "method", "seeds", *SHARED)


class SweepLink(LinkState):
    """The page's widgets and the plan that they describe. The link says the design as one of the training page does."""

    def __init__(self) -> None:
        design = Field(DESIGN, BEGIN, lambda _text: BEGIN)
        super().__init__(PAGE, (*_axis_fields(), *OWN, *DRAWN, design), parameters=PARAMETERS)

    def read(self, query: Mapping[str, str]) -> tuple[dict[str, Any], tuple[SpecError, ...]]:
        settings = {name: query[name] for name in SETTINGS if name in query}
        design, errors = RunSpec.from_query(BEGIN.to_query() | settings)
        broken = {error.field for error in errors}
        design = replace(design, **{name: getattr(BEGIN, name) for name in SHARED if name in broken})
        values, own = read_link((*OWN, *DRAWN), {name: query[name] for name in query if name not in broken and query[name] != "default"})
        errors = (*errors, *own)
        if query.get("train_size") == "default":
            values["train_size"] = MAX_TRAIN_SIZE
        for parameter, default in zip(AXES, DEFAULT_AXES, strict=True):
            try:
                written = query.get(parameter, default)
                _axis(written)
            except PlanError as error:
                errors, written = (*errors, *(_of_parameter(parameter, problem) for problem in error.problems)), default
            values |= _set(parameter, written)
        return values | {DESIGN: design}, errors

    def query(self) -> dict[str, str] | None:
        try:
            design = self.design()
            written = {axis: self._written(axis) for axis in AXES}
            for one in written.values():
                _axis(one)
        except (SpecError, PlanError):
            return None
        texts = query_of({name: getattr(design, name) for name in SETTINGS if getattr(design, name) != getattr(BEGIN, name)})
        texts |= {axis: one for (axis, one), default in zip(written.items(), DEFAULT_AXES, strict=True) if one != default}
        return texts | write_link(OWN, self)

    def widgets(self, parameter: str) -> Sequence[str]:
        if parameter in AXES:
            return _widgets(parameter)
        return (parameter,) if parameter in self else (DESIGN,)

    def default_text(self, parameter: str) -> object:
        if parameter in AXES:
            return DEFAULT_AXES[AXES.index(parameter)]
        if parameter in SETTINGS:
            value = getattr(BEGIN, parameter)
            return query_of({parameter: value})[parameter] if value not in (None, ()) else "none"
        return super().default_text(parameter)

    def design(self) -> RunSpec:
        """What all cells share but for what is varied.

        Raises:
            SpecError: it cannot be.
        """
        size = None if self["train_size"] == MAX_TRAIN_SIZE else self["train_size"]
        design: RunSpec = self[DESIGN]
        return replace(design, epochs=self["epochs"], train_size=size, seed=self["seed"])

    def axis(self, parameter: str) -> Axis | None:
        """One of the axes; None where it varies nothing.

        Raises:
            PlanError: it cannot be.
        """
        return _axis(self._written(parameter))

    def _written(self, parameter: str) -> str:
        name, values = (self[widget] for widget in _widgets(parameter))
        return NO_FIELD if name == NO_FIELD else f"{name}={values}"


def plan_controls(link: SweepLink) -> Plan | None:
    """Draw the controls, and below each what cannot be of it; the plan that they describe, if they describe one."""
    axes, sound = list[Axis](), True
    for parameter in AXES:
        _draw_axis(link, parameter)
        try:
            if (axis := link.axis(parameter)) is not None:
                axes.append(axis)
        except PlanError as error:
            sound = False
            _say_problems(error.problems)
    st.segmented_control(
        _("How cells are chosen"), format_func=said(METHOD_LABELS), required=True, **link.default("method", help=_(METHOD_HELP))
    )
    method = link["method"]
    draws = method == "random" or (method == "halving" and any(axis.interval for axis in axes))
    shown: list[tuple[str, str, str]] = [("seeds", _("Seeds"), _("Runs of each cell; one run may be luck."))]
    if draws:
        shown.append(("samples", _("Samples"), _("How many cells are drawn.")))
        shown.append(("draw_seed", _("Seed of the draw"), _("Decides which cells are drawn.")))
    if method == "halving":
        shown.append(("eta", "η", _("One cell of so many goes on to the next round.")))
    shown += [
        ("epochs", _("Epochs"), _("Passes over the images; with halving those of the last round.")),
        ("train_size", _("Images"), _("So many of the training images, from the first on; 60,000 are all.")),
        ("seed", _("First seed"), _("The others follow it.")),
    ]
    for left, right in zip(shown[::2], [*shown[1::2], None], strict=False):
        for place, one in zip(st.columns(2), (left, right), strict=True):
            if one is not None:
                place.number_input(one[1], **link.value(one[0], help=one[2]))
    _shared_design(link)
    return _plan(link, axes, [one[0] for one in shown if one[0] not in SHARED]) if sound else None


def _draw_axis(link: SweepLink, parameter: str) -> None:
    name, values = _widgets(parameter)
    field, texts = st.columns([1, 1.25])
    options = (NO_FIELD, *VALUES) if parameter != AXES[0] else tuple(VALUES)
    field.selectbox(
        _("Setting {number}", number=parameter.removeprefix("axis_")),
        format_func=lambda one: _("(none)") if one == NO_FIELD else _(parameter_name(one)),
        on_change=unbroken(_suggest),
        args=(link, parameter),
        **link.index(name, options),
    )
    if link[name] != NO_FIELD:
        texts.text_input(_("Values of {setting}", setting=f"`{link[name]}`"), **link.value(values, help=_help_of(link[name])))


def _suggest(link: SweepLink, parameter: str) -> None:
    """Another setting begins with values of its own."""
    name, values = _widgets(parameter)
    link[values] = VALUES.get(link[name], "")


def _help_of(name: str) -> str:
    if name in OPTIONS:
        return _("Some of these, with commas between: {options}.", options=", ".join(OPTIONS[name]))
    if name in ("hidden", "dropout"):
        return _("One a hidden layer with commas between, the values parted by semicolons: `64;256;256,256`. `none` for none.")
    return _("Numbers with commas between. Where cells are drawn, an interval too: `0.001..1`.")


def _shared_design(link: SweepLink) -> None:
    """What all cells have that is not varied, and the way to change it."""
    design = link[DESIGN]
    shapes = " → ".join(map(str, design.sizes))
    st.caption(
        _(
            "All else is as in this design: {shapes}, {activation}, {optimizer}, lr {lr}, batches of {batch}.",
            shapes=shapes, activation=escaped(activation_label(design)), optimizer=OPTIMIZERS[design.optimizer].label, lr=f"{design.lr:g}",
            batch=design.batch_size,
        )
    )  # fmt: skip
    link_to("train", _("Change the design on the training page"), design.to_query(), ":material/tune:")


def _plan(link: SweepLink, axes: Sequence[Axis], settings: Sequence[str]) -> Plan | None:
    """The plan of these axes; None, said why, where it cannot be carried out or is too large for a page.

    Args:
        settings: those of the plan that count for its method; the others keep their defaults, so that equal sweeps are one.
    """
    method, seeds = link["method"], link["seeds"]
    if "samples" not in settings:  # before thousands of cells are made
        cells = math.prod(len(axis.values) for axis in axes)
        rungs = halving(cells, link["epochs"], link["eta"]) if method == "halving" else (Rung(None, cells),)
        if (runs := seeds * sum(rung.cells for rung in rungs)) > MOST_RUNS:
            _too_many(runs)
            return None
    try:
        plan = Plan(link.design(), tuple(axes), method, **{name: link[name] for name in settings})
        if not running.cluster():
            check_here(plan)
    except PlanError as error:
        _say_problems(error.problems)
    except SpecError as error:
        _say_problems((error,))
    else:
        if plan.runs <= MOST_RUNS:
            rule = Message("must be below {cells}, the number of cells", cells=len(plan.cells))
            link.fit("cells", [index for index in link["cells"] if index < len(plan.cells)], rule)
            return plan
        _too_many(plan.runs)
    return None


def _too_many(runs: int) -> None:
    st.error(
        _(
            "These are {runs} runs; a sweep on this page has at most {most}. Take fewer values or seeds, or "
            "`python -m mlp_core.sweep` in a shell.",
            runs=count(runs), most=MOST_RUNS,
        ), icon=":material/error:",
    )  # fmt: skip


def _say_problems(problems: Sequence[SpecError]) -> None:
    lines = [_("{refusal}.", refusal=refused(problem)) for problem in problems[:MOST_PROBLEMS]]
    if (rest := len(problems) - MOST_PROBLEMS) > 0:
        lines.append(_(counted(rest, "{n} more is wrong.", "{n} more are wrong.")))
    st.error("\n\n".join(lines), icon=":material/error:")
