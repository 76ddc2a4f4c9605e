"""The sidebar of the playground: data, network and learning, from widgets to a `RunSpec` and its points."""

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import streamlit as st

from mlp_core.activations import ACTIVATIONS, trainable_activations
from mlp_core.initializers import INITIALIZERS
from mlp_core.labs.nonlinearity.plane import FEATURES, SHAPES, Points, dataset, points_of, split
from mlp_core.labs.nonlinearity.plane_points import PointsError, from_text
from mlp_core.losses import LOSSES, Loss
from mlp_core.spec import MAX_EPOCHS, MAX_SEED, Bounds, RunSpec, SpecError
from mlp_core.training import Run
from mlp_core.words import Message
from pages.language import _, said
from pages.ui import presets, session
from pages.ui.link import Field, LinkState, choice, choices, flag, number, stop
from pages.ui.memo import memo
from pages.ui.nonlinearity.own import drawn_points, own_panel
from pages.ui.presets import Preset
from pages.ui.run import pace, steering
from pages.ui.train.controls import KINDS_OF_SGD, optimizer_labels
from pages.ui.unbroken import unbroken

MOST_LAYERS, MOST_UNITS = 6, 8
OWN = "own"
PANEL, CURVES, INSIDE, SEVERAL, EXPORT = "panel", "curves", "inside", "seeds", "export"
PANELS = {  # below the plane
    CURVES: Message("Curves"),
    INSIDE: Message("Look inside"),
    SEVERAL: Message("Five seeds"),
    EXPORT: Message("Take it home"),
}
RATES = ("0.00001", "0.0001", "0.001", "0.003", "0.01", "0.03", "0.1", "0.3", "1", "3", "10")
PENALTIES = {"none": Message("None"), "l1": "L1", "l2": "L2"}
SHAPE_LABELS = {name: shape.label for name, shape in SHAPES.items()} | {OWN: Message("Your own points")}


def _read_drawn(text: str) -> str:
    try:
        from_text(text)
    except PointsError as error:
        raise SpecError("drawn", error.args[0], text) from error
    return text


def _read_shown(text: str) -> str:
    if not re.fullmatch(r"[0-7]\.[0-7]", text):
        raise SpecError("shown", Message("must be a layer and a unit with a dot between them, from 0"), text)
    return text


FIELDS = (
    choice("data", "xor", tuple(SHAPE_LABELS)),
    number("noise", 0, Bounds(0, 50, whole=True), 5),
    number("size", 300, Bounds(20, 1000, whole=True), 20),
    number("test", 50, Bounds(0, 90, whole=True), 10),
    number("own_test", 0, Bounds(0, 90, whole=True), 10),  # of points that somebody brought, none without being asked
    number("data_seed", 0, Bounds(0, MAX_SEED, whole=True)),
    Field("drawn", "", _read_drawn),
    choices("features", ("x", "y"), tuple(FEATURES)),
    number("deep", 1, Bounds(0, MOST_LAYERS, whole=True)),
    *(number(f"units{layer}", 8, Bounds(1, MOST_UNITS, whole=True)) for layer in range(1, MOST_LAYERS + 1)),
    choice("activation", "relu", trainable_activations()),
    choice("init", "he_normal", tuple(name for name, entry in INITIALIZERS.items() if not entry.settings)),
    stop("lr", "0.03", RATES),
    choice("optimizer", "adam", tuple(optimizer_labels())),
    number("momentum", 0.9, Bounds(0.0, 0.99), 0.01),
    choice("penalty", "none", tuple(PENALTIES)),
    stop("rate", "0.001", RATES[:8]),
    number("batch", 10, Bounds(1, 100, whole=True)),
    number("epochs", 200, Bounds(1, MAX_EPOCHS, whole=True)),
    number("seed", 0, Bounds(0, MAX_SEED, whole=True)),
    pace.FIELD,
    choice(PANEL, CURVES, tuple(PANELS)),
    choice("end", "auto", ("auto", "softmax")),
    flag("discrete", False),
    flag("tests", True),
    flag("regions", False),
    Field("shown", "", _read_shown),
    number("space", 1, Bounds(1, MOST_LAYERS, whole=True)),
    number("across", 1, Bounds(1, MOST_UNITS, whole=True)),
    number("up", 2, Bounds(1, MOST_UNITS, whole=True)),
)


def settings_for(changed: dict[str, Any]) -> dict[str, Any]:
    """Every field that makes an experiment; what is not named in `changed` is at its default."""
    kept = (PANEL, "drawn", "own_test", "seed", "data_seed")
    return {field.name: changed.get(field.name, field.default) for field in FIELDS if field.name not in kept}


SPIRAL: dict[str, Any] = {
    "data": "spiral", "size": 400, "test": 20, "deep": 2, "lr": "0.01", "batch": 20, "epochs": 400, "pace": "medium",
}  # fmt: skip


def _preset(changed: dict[str, Any], lesson: str) -> Preset:
    return Preset(settings_for(changed), lesson)


PRESETS: dict[str, Preset] = {
    Message("XOR"): _preset({}, Message("One hidden layer of 8 ReLU units: the plane is cut into pieces, and XOR is solved.")),
    Message("XOR, no hidden layer"): _preset(
        {"deep": 0},
        Message("One line, as the perceptron's: the best leaves about a quarter of the points wrong, a trained one often nearly half."),
    ),
    Message("XOR, no bend"): _preset(
        {"activation": "identity", "init": "xavier_normal", "deep": 3, "lr": "0.01"},
        Message("Three hidden layers without a nonlinearity are one matrix: still one line."),
    ),
    Message("XOR by a product"): _preset(
        {"deep": 0, "features": ["xy"]}, Message("The product xy as the input: with the right feature, no hidden layer is needed.")
    ),
    Message("Circle"): _preset(
        {"data": "circle", "units1": 4, "regions": True}, Message("Four ReLU units fence the inner points in with four lines.")
    ),
    Message("Spiral"): _preset(SPIRAL, Message("Two layers of 8 unroll the spiral. Watch the last layer's units.")),
    Message("Three arms"): _preset(SPIRAL | {"data": "arms", "epochs": 300}, Message("Three classes, three outputs, softmax.")),
    Message("Hills and hollows"): _preset(
        SPIRAL | {"data": "bumps", "size": 500, "activation": "tanh", "init": "xavier_normal"},
        Message("Regression: the same network without a last activation, and with a squared loss."),
    ),
}
STEERED = ("lr", "weight_decay", "batch_size")  # by the controls of the run under way
JOB = "plane"  # under which name the session holds the run on the plane
VIEW = (PANEL, "discrete", "tests", "regions", "shown", "space", "across", "up", "pace")  # which do not make another experiment


class PlaneKey(NamedTuple):
    """Equal for equal experiments."""

    points: Hashable
    features: tuple[str, ...]
    loss: str
    spec: RunSpec

    @property
    def unsteered(self) -> "PlaneKey":
        """Equal also for those that differ in nothing but what may change in mid-run."""
        return self._replace(spec=replace(self.spec, **{name: getattr(RunSpec(), name) for name in STEERED}))


@dataclass(frozen=True, eq=False)
class PlaneSettings:
    """What the controls describe: an experiment on points of the plane."""

    key: PlaneKey
    spec: RunSpec
    features: tuple[str, ...]
    points: Points
    train: Points
    test: Points
    loss: Loss

    @property
    def trainable(self) -> bool:
        """Whether there is anything to tell apart, and an input to tell it by."""
        return bool(self.features) and len(self.train) > 1 and (self.points.classes == 0 or self.train.present > 1)

    @property
    def negative_slope(self) -> float | None:
        """The activation's slope below 0, where the network is piecewise linear in x and y; None where it is not."""
        if not set(self.features) <= {"x", "y"}:
            return None
        return ACTIVATIONS[self.spec.activation].negative_slope if self.spec.hidden else 1.0

    def run(self, kind: type[Run] = Run) -> Run:
        """A run of it; with `Replicates` one from several seeds at once."""
        return kind(self.spec, dataset(self.train, self.test, self.features), self.loss)


def preset_row(link: LinkState) -> None:
    """Experiments worth starting from, one click each."""

    def at(preset: str) -> bool:
        return all(link[name] == value for name, value in PRESETS[preset].settings.items() if name not in VIEW)

    presets.preset_row(link, "_plane_preset", PRESETS, at=at, label_visibility="collapsed")


def settings_panel(link: LinkState) -> PlaneSettings:
    """Draw the sidebar and read the experiment from it."""
    with st.sidebar:
        with st.expander(_("Data"), expanded=True, icon=":material/scatter_plot:"):
            _data(link)
        with st.expander(_("Network"), expanded=True, icon=":material/lan:"):
            _network(link)
        with st.expander(_("Learning"), expanded=True, icon=":material/trending_down:"):
            _learning(link)
        settings = settings_of(link)
        with st.expander(_("View"), expanded=True, icon=":material/visibility:"):
            _view(link, settings)
    return settings


def _data(link: LinkState) -> None:
    st.selectbox(_("Points"), format_func=said(SHAPE_LABELS), **link.index("data"))
    if link["data"] == OWN:
        own_panel(link)
    else:
        st.slider(_("Noise (%)"), **link.value("noise", help=_("Moves points after they got their class.")))
        st.slider(_("Number of points"), **link.value("size"))
        st.number_input(_("Seed of the points"), **link.value("data_seed"))
    help = _("At 0 the training points are tested.")
    st.slider(_("Points kept for the test (%)"), **link.value(_test_field(link), help=help))
    st.pills(_("Inputs"), selection_mode="multi", format_func=lambda name: FEATURES[name][0], **link.default("features"))


def _test_field(link: Mapping[str, Any]) -> str:
    return "own_test" if link["data"] == OWN else "test"


def _network(link: LinkState) -> None:
    st.slider(_("Hidden layers"), **link.value("deep"))
    columns = st.columns(3)
    for layer in range(1, int(link["deep"]) + 1):
        columns[(layer - 1) % 3].number_input(_("Units {layer}", layer=layer), **link.value(f"units{layer}"))
    st.selectbox(_("Activation"), format_func=lambda name: _(ACTIVATIONS[name].label), **link.index("activation"))
    st.selectbox(_("Initialization"), format_func=lambda name: _(INITIALIZERS[name].label), **link.index("init"))
    st.number_input(_("Seed of weights and order"), **link.value("seed"))


def _learning(link: LinkState) -> None:
    of_next_run = steering.of_next_run(session.jobs().job(JOB), float(link["lr"]))
    lr = _("Learning rate of the next run") if of_next_run else _("Learning rate")
    st.select_slider(lr, **link.value("lr"), on_change=unbroken(_moved), args=(link,))
    st.selectbox(_("Optimizer"), format_func=said(optimizer_labels()), **link.index("optimizer"))
    if link["optimizer"] in ("momentum", "nesterov"):
        st.slider(_("Momentum"), **link.value("momentum"))
    st.segmented_control(_("Regularization"), format_func=said(PENALTIES), required=True, **link.default("penalty"))
    if link["penalty"] != "none":
        st.select_slider(_("Regularization rate"), **link.value("rate"), on_change=unbroken(_moved), args=(link,))
    st.slider(_("Batch size"), **link.value("batch"), on_change=unbroken(_moved), args=(link,))
    st.number_input(_("Epochs, at most"), **link.value("epochs"))


def _moved(link: LinkState) -> None:
    """What was moved may change in mid-run: the run under way goes on with it."""
    group, settings = session.jobs().group(JOB), settings_of(link)
    if group is None or not group.started or not steering.under_way(job := group.jobs[0]):
        return
    if isinstance(group.key, PlaneKey) and group.key.unsteered == settings.key.unsteered:
        steering.steer(job, **{name: getattr(settings.spec, name) for name in STEERED})
        group.key = settings.key


def _view(link: LinkState, settings: PlaneSettings) -> None:
    """Here and not beside the pictures: a widget of a part that runs itself again may lose the value that the link gives it."""
    st.toggle(_("Discrete output"), **link.value("discrete"))
    st.toggle(_("Test points, hollow"), **link.value("tests"))
    help = _("Where the network is one affine map: counted for ReLU and leaky ReLU on the inputs x and y.")
    st.toggle(_("Outline linear regions"), **link.value("regions", help=help, disabled=settings.negative_slope is None))
    hidden = settings.spec.hidden
    shown_part(link, (len(settings.features), *hidden))
    if hidden and max(hidden) > 1:
        hidden_pair(link, hidden)
        st.caption(_("Two hidden units to see the points through"))
        layer, across, up = st.columns(3)
        layer.number_input(_("Layer"), **link.value("space"))
        across.number_input(_("Across"), **link.value("across"))
        up.number_input(_("Up"), **link.value("up"))


def shown_part(link: LinkState, sizes: Sequence[int]) -> tuple[int, int] | None:
    """The input or hidden unit that the plane shows instead of the output, as layer and unit; None without one in layers of these sizes."""
    if not link["shown"]:
        return None
    layer, unit = (int(part) for part in link["shown"].split("."))
    there = layer < len(sizes) and unit < sizes[layer]
    rule = Message("must be a layer and a unit of {sizes}, both from 0", sizes=" → ".join(map(str, sizes)))
    link.fitted("shown", link["shown"] if there else "", rule)
    return (layer, unit) if there else None


def hidden_pair(link: LinkState, hidden: Sequence[int]) -> tuple[int, int, int]:
    """The hidden layer in whose space points are shown, and its two units, all from 1; the last where it has none of that number."""
    layer = link.fitted("space", min(int(link["space"]), len(hidden)), Message("must be a hidden layer, 1 to {most}", most=len(hidden)))
    units = hidden[layer - 1]
    rule = Message("must be a unit of hidden layer {layer}, 1 to {units}", layer=layer, units=units)
    across, up = (link.fitted(name, min(int(link[name]), units), rule) for name in ("across", "up"))
    return layer, across, up


def settings_of(link: Mapping[str, Any]) -> PlaneSettings:
    """Read the experiment; equal settings give the same points."""
    if link["data"] == OWN:
        mark, points = drawn_points(link)
        data: tuple[Any, ...] = (OWN, mark)
    else:
        data = (link["data"], int(link["size"]), int(link["noise"]) / 100, int(link["data_seed"]))
        points = memo("plane_points", data, lambda: points_of(*data))
    share, seed = int(link[_test_field(link)]) / 100, int(link["data_seed"])
    train, test = memo("plane_split", (data, share, seed), lambda: split(points, share, seed))
    features = tuple(name for name in FEATURES if name in link["features"])
    spec, loss = _spec(link), _loss(link, points)
    key = PlaneKey((data, share, seed), features, loss.name, spec)
    return PlaneSettings(key, spec, features, points, train, test, loss)


def _loss(link: Mapping[str, Any], points: Points) -> Loss:
    """Two classes need one output; the softmax of two is the same machine with one too many."""
    if points.classes == 0:
        return LOSSES["squared"]
    return LOSSES["logistic" if points.classes == 2 and link["end"] == "auto" else "cross_entropy"]


def _spec(link: Mapping[str, Any]) -> RunSpec:
    optimizer, rate = link["optimizer"], float(link["rate"])
    momentum = float(link["momentum"]) if optimizer in ("momentum", "nesterov") else 0.0
    return RunSpec(
        hidden=tuple(int(link[f"units{layer}"]) for layer in range(1, int(link["deep"]) + 1)),
        activation=link["activation"],
        init=link["init"],
        optimizer="sgd" if optimizer in KINDS_OF_SGD else optimizer,
        momentum=momentum,
        nesterov=optimizer == "nesterov" and momentum > 0,
        lr=float(link["lr"]),
        weight_decay=rate if link["penalty"] == "l2" else 0.0,
        l1=rate if link["penalty"] == "l1" else 0.0,
        batch_size=int(link["batch"]),
        epochs=int(link["epochs"]),
        seed=int(link["seed"]),
        device="cpu",  # the networks are too small for any other to be quicker
    )
