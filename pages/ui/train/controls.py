"""The training page's widgets as one experiment: from them to a `RunSpec` and back, and both from and into the page's address."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from mlp_core.activations import ACTIVATIONS, trainable_activations
from mlp_core.expression import ExpressionError, resolve
from mlp_core.initializers import INITIALIZERS
from mlp_core.optimizers import OPTIMIZERS
from mlp_core.records import SettingChange
from mlp_core.reports.export import Experiment, changes_text, read_changes
from mlp_core.spec import (
    BOUNDS,
    DEVICES,
    DROPOUT_BOUNDS,
    IMPLEMENTATIONS,
    MAX_EXPRESSION_LENGTH,
    MAX_TEXT_LENGTH,
    PRECISIONS,
    PRESETS,
    TRAIN_SIZE_BOUNDS,
    WIDTH_BOUNDS,
    Bounds,
    RunSpec,
    SpecError,
    check_step,
    query_of,
)
from mlp_core.words import Message, counted
from pages.language import _
from pages.ui.link import Field, LinkState, choice, flag, number, stop, text
from pages.ui.presets import Preset
from pages.ui.presets import preset_row as row

PAGE = "train"
DEFAULT = RunSpec()
EPOCHS_BOUNDS = Bounds(1, 100, whole=True)
MAX_HIDDEN = 8  # layers with a control of their own
OWN_ACTIVATION = "own"
DEFAULT_EXPRESSION = "x*sigmoid(1.702*x)"
KINDS_OF_SGD = {"sgd": "SGD", "momentum": Message("SGD with momentum"), "nesterov": Message("SGD with Nesterov momentum")}
CHANGES = "changes"  # of settings in mid-run, a parameter of the link beside the fields of a `RunSpec`
PARAMETERS = (*(field.name for field in fields(RunSpec)), CHANGES)
LOCKABLE = tuple(name for name in PARAMETERS if name != "nesterov")  # which is one of the optimizers here
PRESET_SPECS = {name: preset.spec for name, preset in PRESETS.items()}
STEPS = {
    "lr": 0.01, "momentum": 0.05, "beta1": 0.01, "beta2": 0.001, "rho": 0.01, "eps": 1e-8, "weight_decay": 0.0001, "l1": 0.0001,
    "init_std": 0.01, "init_value": 0.01, "init_noise": 0.001, "train_size": 100,
} | {f"dropout_{layer}": 0.1 for layer in range(1, MAX_HIDDEN + 1)}  # fmt: skip
LR_STOPS = (*(float(f"{digit}e{power}") for power in range(-5, 2) for digit in (1, 2, 3, 5)), 100.0)


LAYERS = range(1, MAX_HIDDEN + 1)
SETTERS = {  # parameter of the link -> the widgets that set it, where these are not its one of the same name
    "hidden": ("layers", *(f"units_{layer}" for layer in LAYERS)),
    "activation": ("activation", "expression"),
    "activation_parameter": tuple(f"parameter_{name}" for name, entry in ACTIVATIONS.items() if entry.parameter is not None),
    "dropout": tuple(f"dropout_{layer}" for layer in LAYERS),
    "lr": ("lr", "lr_stop"),
    "nesterov": ("optimizer",),
    "train_size": ("all_images", "train_size"),
}


class ExperimentLink(LinkState):
    """The page's widgets, and the experiment that they describe; the link says it as `Experiment.to_query` does."""

    def __init__(self, page: str = PAGE, *, address: bool = True) -> None:
        super().__init__(page, _fields(), parameters=PARAMETERS, prefix="" if address else None, address=address)

    def experiment(self) -> Experiment:
        """What the widgets describe.

        Raises:
            SpecError, ExpressionError: nothing that can be trained.
        """
        return experiment_of(self)

    def read(self, query: Mapping[str, str]) -> tuple[dict[str, Any], tuple[SpecError, ...]]:
        return read_widgets(query)

    def query(self) -> dict[str, str] | None:
        try:
            return self.experiment().to_query()
        except (SpecError, ExpressionError):
            return None

    def widgets(self, parameter: str) -> Sequence[str]:
        return SETTERS.get(parameter, (parameter,))

    def take(self, spec: RunSpec, changes: Sequence[SettingChange] = ()) -> None:
        """Set every control to an experiment from outside.

        Raises:
            SpecError: this page has no controls for it, or its link locks what they would be set to.
        """
        if len(spec.hidden) > MAX_HIDDEN:
            raise _too_many_layers(spec)
        EPOCHS_BOUNDS.check("epochs", spec.epochs)
        widgets = widgets_of(spec) | {CHANGES: changes_text(changes)}
        read_changes(widgets[CHANGES])  # a file may have more of them than a text here
        for name in self.fixed:
            if self[name] != widgets[name]:
                rule = Message("must stay {value}, since the link of this page locks it", value=self[name])
                raise SpecError(name, rule, widgets[name])
        self.update(widgets)

    def default_text(self, parameter: str) -> object:
        default = "" if parameter == CHANGES else getattr(DEFAULT, parameter)
        return query_of({parameter: default})[parameter] if default not in (None, ()) else "none"


def experiment_of(widgets: Mapping[str, Any]) -> Experiment:
    """The experiment that the widgets describe, if it can be trained.

    Raises:
        SpecError, ExpressionError: it cannot.
    """
    spec = spec_of(widgets)
    check_step(spec.batch_size, spec.sizes, operations=resolve(spec.activation).operations)
    return Experiment(spec, read_changes(widgets[CHANGES]))


def read_widgets(query: Mapping[str, str]) -> tuple[dict[str, Any], tuple[SpecError, ...]]:
    """What a link sets every widget to, and what of it cannot be."""
    spec, errors = RunSpec.from_query(query)
    if len(spec.hidden) > MAX_HIDDEN:
        errors += (_too_many_layers(spec),)
        spec = replace(spec, hidden=DEFAULT.hidden, dropout=())
    if spec.epochs > EPOCHS_BOUNDS.high:
        low, high = int(EPOCHS_BOUNDS.low), int(EPOCHS_BOUNDS.high)
        rule = Message("must be a whole number from {low} to {high} on this page", low=low, high=high)
        errors += (SpecError("epochs", rule, spec.epochs),)
        spec = replace(spec, epochs=DEFAULT.epochs)
    shown = spec_of(widgets_of(spec))
    for name, (given, _shown) in spec.differences(shown).items():
        if name not in ("activation", "dropout"):  # which differ by blanks and zeros at most
            errors += (SpecError(name, Message("cannot be chosen here together with the rest of the link"), given),)
    widgets = widgets_of(shown)
    try:
        widgets[CHANGES] = changes_text(Experiment(shown, read_changes(query.get(CHANGES, ""))).changes)
    except SpecError as error:
        of = error.field.removeprefix(CHANGES).lstrip(": ")
        broken = Message("{setting} {rule}", setting=of, rule=error.rule) if of else error.rule
        errors += (SpecError(CHANGES, broken, error.value),)
    return widgets, errors


def preset_row(link: ExperimentLink, experiment: Experiment | None) -> str:
    """The presets, one click each; the one that the controls are at is marked. Returns what it shows, if they are at one.

    Args:
        experiment: what the controls describe; None while they describe none.
    """
    return row(
        link,
        "preset",
        {name: Preset(widgets_of(preset), _(PRESETS[name].lesson)) for name, preset in PRESET_SPECS.items()},
        at=lambda name: Experiment(PRESET_SPECS[name]) == experiment,
        title=lambda name: _(PRESETS[name].title),
        required=True,
        help=_("One click sets every control. Then change what you like."),
        label_visibility="collapsed",
        caption=False,
    )


def optimizer_labels() -> dict[str, str]:
    """The choices of an optimizer: the registry's, with SGD's momentum as choices of their own."""
    return KINDS_OF_SGD | {name: rule.label for name, rule in OPTIMIZERS.items() if name != "sgd"}


def optimizer_settings(choice: str) -> set[str]:
    """The fields of a `RunSpec` that such a choice uses."""
    settings = set(OPTIMIZERS["sgd" if choice in KINDS_OF_SGD else choice].settings)
    return settings - {"momentum"} if choice == "sgd" else settings


def nearest(stops: tuple[float, ...], value: float) -> float:
    """The stop of a logarithmic slider that is closest to a value."""
    return min(stops, key=lambda stop: abs(stop - value) / stop)


def widgets_of(spec: RunSpec) -> dict[str, Any]:
    """The value of every widget for `spec`, with nothing changed on the way."""
    widgets: dict[str, Any] = {name: getattr(spec, name) for name in BOUNDS}
    widgets |= {"layers": len(spec.hidden), "init": spec.init, "implementation": spec.implementation}
    widgets |= {"precision": spec.precision, "device": spec.device, CHANGES: ""}
    for layer in range(MAX_HIDDEN):
        widgets[f"units_{layer + 1}"] = spec.hidden[layer] if layer < len(spec.hidden) else 256
        widgets[f"dropout_{layer + 1}"] = spec.dropout[layer] if layer < len(spec.dropout) else 0.0
    widgets["activation"] = OWN_ACTIVATION if spec.expression is not None else spec.activation
    widgets["expression"] = spec.expression or DEFAULT_EXPRESSION
    for name, activation in ACTIVATIONS.items():
        if (parameter := activation.parameter) is not None:
            given = spec.activation_parameter if name == spec.activation else None
            widgets[f"parameter_{name}"] = parameter.default if given is None else given
    optimizer = spec.optimizer
    if optimizer == "sgd" and spec.momentum > 0:
        optimizer = "nesterov" if spec.nesterov else "momentum"
    widgets["optimizer"] = optimizer
    widgets["momentum"] = spec.momentum or (0.0 if "momentum" in optimizer_settings(optimizer) else 0.9)
    widgets["divide_by_batch"] = spec.divide_by_batch
    widgets["lr_stop"] = nearest(LR_STOPS, spec.lr)
    widgets["all_images"] = spec.train_size is None
    widgets["train_size"] = spec.train_size or 1000
    return widgets


def spec_of(widgets: Mapping[str, Any]) -> RunSpec:
    """The experiment that the widgets describe; a setting that is not shown counts as its default.

    Raises:
        SpecError: the settings do not go together.
    """
    layers = range(1, widgets["layers"] + 1)
    dropout = tuple(widgets[f"dropout_{layer}"] for layer in layers)
    activation, optimizer = widgets["activation"], widgets["optimizer"]
    chosen: dict[str, Any] = {name: widgets[name] for name in ("lr", "weight_decay", "l1", "batch_size", "epochs", "seed", "init")}
    if activation == OWN_ACTIVATION:
        chosen["activation"] = f"={widgets['expression'].strip()}"
    else:
        chosen["activation"] = activation
        chosen["activation_parameter"] = widgets.get(f"parameter_{activation}")
    used = {*INITIALIZERS[widgets["init"]].settings, *optimizer_settings(optimizer)}
    chosen |= {name: widgets[name] for name in used if name != "nesterov"}
    return RunSpec(
        hidden=tuple(widgets[f"units_{layer}"] for layer in layers),
        dropout=dropout if any(dropout) else (),
        optimizer="sgd" if optimizer in KINDS_OF_SGD else optimizer,
        nesterov=optimizer == "nesterov" and widgets["momentum"] > 0,
        train_size=None if widgets["all_images"] else widgets["train_size"],
        implementation=widgets["implementation"],
        precision=widgets["precision"],
        device=widgets["device"],
        **chosen,
    )


def _too_many_layers(spec: RunSpec) -> SpecError:
    rule = Message("must have at most {most} layers on this page", most=MAX_HIDDEN)
    return SpecError("hidden", rule, counted(len(spec.hidden), "{n} layer", "{n} layers"))


def _fields() -> tuple[Field, ...]:
    """What the widgets may be, each beginning at its value for the default experiment."""
    begin, bounds = widgets_of(DEFAULT), BOUNDS | {"epochs": EPOCHS_BOUNDS, "train_size": TRAIN_SIZE_BOUNDS}
    bounds |= {"layers": Bounds(0, MAX_HIDDEN, whole=True)}
    for layer in range(1, MAX_HIDDEN + 1):
        bounds |= {f"units_{layer}": WIDTH_BOUNDS, f"dropout_{layer}": DROPOUT_BOUNDS}
    for name, activation in ACTIVATIONS.items():
        if (parameter := activation.parameter) is not None:
            bounds[f"parameter_{name}"] = parameter.bounds
    options: dict[str, Iterable[str]] = {
        "activation": (*trainable_activations(), OWN_ACTIVATION),
        "init": INITIALIZERS,
        "optimizer": optimizer_labels(),
        "implementation": IMPLEMENTATIONS,
        "precision": PRECISIONS,
        "device": DEVICES,
    }
    return (
        *(number(name, begin[name], one, STEPS.get(name, 0.01 if name.startswith("parameter_") else None)) for name, one in bounds.items()),
        *(choice(name, begin[name], tuple(one)) for name, one in options.items()),
        *(flag(name, begin[name]) for name in ("divide_by_batch", "all_images")),
        stop("lr_stop", begin["lr_stop"], LR_STOPS),
        text("expression", begin["expression"], MAX_EXPRESSION_LENGTH),
        text(CHANGES, begin[CHANGES], MAX_TEXT_LENGTH),
    )
