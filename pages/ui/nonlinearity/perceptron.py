"""The section "The perceptron": one sample at a time, until no mistake is left or the weights repeat themselves."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import streamlit as st

from mlp_core.labs.nonlinearity.perceptron import Floats, Perceptron, on_grid, separation
from mlp_core.labs.nonlinearity.plane import points_of
from mlp_core.spec import MAX_SEED, Bounds
from mlp_core.words import Message, count, counted, exactly, fixed
from pages.figures.linear import mistakes_curve, perceptron_plane
from pages.language import _, said
from pages.ui.begun_by_link import begin_if_due
from pages.ui.link import LinkState, choice, number
from pages.ui.live_chart import live_chart
from pages.ui.measures import Measure, State, Values, once
from pages.ui.ticking import follow
from pages.ui.unbroken import button

CLOUDS = {
    "apart": Message("Two clouds"),
    "corners": Message("XOR: four corners"),
    "xor": Message("XOR: clouds"),
    "circle": Message("Circle"),
}
PLAY_SECONDS = 0.25
MOST_SAMPLES = 50_000  # of one history: beyond, nothing new is to be learned
SPEEDS = ("1", "5", "25", "100")
PLAYING = "_perceptron_playing"
PLANE_HEIGHT, CURVE_HEIGHT = 430, 190
FIELDS = (
    choice("points", "apart", tuple(CLOUDS)),
    number("gap", 1.0, Bounds(0.0, 4.0), 0.25),
    number("count", 40, Bounds(4, 200, whole=True), 2),
    number("points_seed", 0, Bounds(0, MAX_SEED, whole=True)),
    choice("speed", "1", SPEEDS),
)
MACHINE = "_perceptron"  # in the session: the cloud, and how far the perceptron is on it, whatever language that is said in
MEASURES = {
    "mistakes": once(
        Message("Mistakes"), Message("Until it converged or its weights began to repeat"), "count", lambda machine: machine.mistakes
    ),
    "passes": once(Message("Passes"), Message("Whole ones over the points, until then"), "count", lambda machine: machine.passes),
    "misclassified": once(
        Message("Misclassified points"), Message("On the wrong side of the line or on it, then"), "count", lambda machine: machine.errors
    ),
    "converged": once(
        Message("Converged (1: yes, 0: no)"), Message("Whether a pass went without a mistake"), "count", lambda machine: machine.converged
    ),
    "cycles": once(
        Message("Cycles (1: yes, 0: no)"),
        Message("Whether a pass began with the weights of an earlier one, so that it never ends"),
        "count",
        lambda machine: machine.cycle is not None,
    ),
    "bound": once(
        Message("Bound on the mistakes, (R/γ)²"), Message("Novikoff's; infinite where no line separates the points"), "number",
        lambda machine: separation(machine.points, machine.labels).bound,
    ),
}  # fmt: skip
Cloud = tuple[str, int, float, int]  # its name, the number of points, the gap, the seed


def cloud(name: str, count: int, gap: float, seed: int) -> tuple[Floats, Floats]:
    """Points on the grid, (n, 2), and labels −1 and 1; `gap` is half the room along the line between the two clouds."""
    if name == "corners":
        return np.array([[2.0, 2], [-2, -2], [2, -2], [-2, 2]]), np.array([1.0, 1, -1, -1])
    if name != "apart":
        points = points_of(name, count, 0.0, seed)
        return on_grid(points.xy), np.where(points.labels == 1, 1.0, -1.0)
    rng = np.random.default_rng(seed)
    angle, offset = rng.uniform(0, 2 * math.pi), rng.uniform(-1, 1)
    normal = np.array([math.cos(angle), math.sin(angle)])
    labels = np.where(np.arange(count) % 2 == 0, 1.0, -1.0)
    along = rng.uniform(-4, 4, count)
    away = offset + labels * (gap / 2 + rng.uniform(0, 2.5, count))
    return on_grid(np.outer(away, normal) + np.outer(along, [-normal[1], normal[0]])), labels


def section(link: LinkState) -> None:
    """Choose points, then let the rule meet them."""
    st.markdown(
        _(
            "The oldest learning machine (Rosenblatt, 1958) draws **one line**. It meets one sample $(\\mathbf x, y)$ at a time, "
            "$y = \\pm 1$; after a mistake, $y(\\mathbf w^\\top\\mathbf x + b) \\le 0$, it moves: "
            "$\\mathbf w \\leftarrow \\mathbf w + y\\mathbf x$, $b \\leftarrow b + y$. If some line separates the classes, it finds one. "
            "If none does, it never stops."
        )
    )
    begin_if_due(partial(_play, True))
    follow(lambda: _machine(link, _playing()), PLAY_SECONDS, _playing)


@dataclass(frozen=True)
class Learning:
    """The perceptron on a cloud, as it goes on with Play."""

    cloud: Cloud
    measures: Mapping[str, Measure] = field(default_factory=lambda: MEASURES)

    labels: tuple[str, ...] = ()
    epochs = 0
    trains = True

    def start(self) -> None:
        if self.state() == "done":
            _reset()
        _built(self.cloud)
        _play(True)

    def state(self) -> State:
        machine = self._machine
        if machine is None:
            return "none"
        return "done" if _over(machine) else "moving" if _playing() or machine.samples else "none"

    def unmeasured(self) -> str:
        return ""

    def hidden(self) -> bool:
        return False

    def rest(self) -> None:
        _play(False)

    def source(self, label: str | None) -> Perceptron | None:
        return self._machine if self.state() == "done" else None

    @property
    def _machine(self) -> Perceptron | None:
        return _begun(self.cloud)


def subject(values: Values) -> Learning:
    """The perceptron on the cloud that the fields describe."""
    return Learning(_cloud_of(values))


def _cloud_of(values: Values) -> Cloud:
    return values["points"], int(values["count"]), float(values["gap"]), int(values["points_seed"])


def _playing() -> bool:
    return bool(st.session_state.get(PLAYING))


def _over(machine: Perceptron) -> bool:
    return machine.finished or machine.samples >= MOST_SAMPLES


def _machine(link: LinkState, playing: bool) -> None:
    controls, picture, numbers = st.columns([1, 1.8, 1.4], gap="medium")
    with controls:
        machine = _controls(link)
    if playing:
        _advance(machine, int(link["speed"]))
        if _over(machine):
            st.session_state[PLAYING] = False
    with picture:
        _buttons(machine, playing)
        current = machine.last.index if machine.last is not None else None
        figure = perceptron_plane(machine.points, machine.labels, machine.weights, machine.before, current)
        live_chart(figure, key="perceptron_plane", height=PLANE_HEIGHT, alt=_("Points of two classes, and the perceptron's line"))
    with numbers:
        _numbers(machine)
    link.write()
    if playing and not st.session_state[PLAYING]:
        st.rerun()


def _controls(link: LinkState) -> Perceptron:
    st.selectbox(_("Points"), format_func=said(CLOUDS), **link.index("points"))
    if link["points"] == "apart":
        st.slider(_("Gap between the clouds"), **link.value("gap", help=_("The narrower, the more mistakes are allowed.")))
    if link["points"] != "corners":
        st.slider(_("Number of points"), **link.value("count"))
        st.number_input(_("Seed"), **link.value("points_seed"))
    st.segmented_control(_("Samples at a time"), required=True, **link.default("speed"))
    return _built(_cloud_of(link))


def _begun(chosen: Cloud) -> Perceptron | None:
    kept: tuple[Cloud, Perceptron] | None = st.session_state.get(MACHINE)
    return kept[1] if kept is not None and kept[0] == chosen else None


def _built(chosen: Cloud) -> Perceptron:
    if (machine := _begun(chosen)) is None:
        machine = Perceptron(*cloud(*chosen))
        st.session_state[MACHINE] = chosen, machine
    return machine


def _buttons(machine: Perceptron, playing: bool) -> None:
    over = _over(machine)
    with st.container(horizontal=True):
        label, icon = (_("Pause"), "pause") if playing else (_("Play"), "play_arrow")
        button(label, "perceptron_play", icon, _play, not playing, enabled=playing or not over, type="primary")
        button(_("One sample"), "perceptron_step", "skip_next", _advance, machine, 1, enabled=not (playing or machine.converged))
        button(_("Reset"), "perceptron_reset", "restart_alt", _reset, enabled=machine.samples > 0)


def _numbers(machine: Perceptron) -> None:
    apart = separation(machine.points, machine.labels)
    with st.container(horizontal=True):
        passes, points = counted(machine.passes, "{n} pass", "{n} passes"), counted(len(machine.points), "{n} point", "{n} points")
        met = _("{passes} over {points}.", passes=passes, points=points)
        st.metric(_("Samples met"), count(machine.samples), border=True, help=met)
        st.metric(_("Mistakes"), count(machine.mistakes), border=True, help=_("Each one moved the line."))
        bound = fixed(apart.bound, 1) if apart.margin else "∞"
        novikoff = _("Novikoff 1962: with points x̃ = (x, y, 1), R the longest, γ the best margin.")
        st.metric(_("Bound (R/γ)²"), bound, border=True, help=novikoff)
        wrong = _("{part} of {whole}", part=machine.errors, whole=len(machine.points))
        st.metric(_("Wrong now"), wrong, border=True, help=_("Points on the wrong side, or on the line."))
    figure = mistakes_curve(machine.mistake_counts, apart.bound)
    live_chart(figure, key="perceptron_mistakes", height=CURVE_HEIGHT, alt=_("Mistakes against samples met, with the bound"))
    _verdict(machine, apart.bound)
    w1, w2, b = machine.weights
    line = Message("w = ({w1}, {w2}), b = {b}; R = {radius}", w1=exactly(w1), w2=exactly(w2), b=exactly(b), radius=fixed(apart.radius, 3))
    known = Message("{line}, γ = {margin}.", line=line, margin=fixed(apart.margin, 4))
    st.caption(_(known if apart.margin else Message("{line}; no line separates: γ ≤ 0.", line=line)))


def _verdict(machine: Perceptron, bound: float) -> None:
    if machine.converged:
        st.success(
            _(
                "**Converged** after {mistakes}, of at most {bound}: a whole pass without one.",
                mistakes=counted(machine.mistakes, "{n} mistake", "{n} mistakes"),
                bound=count(math.floor(bound)),
            ),
            icon=":material/check_circle:",
        )
    elif machine.cycle is not None:
        now, earlier = machine.cycle
        st.warning(
            _(
                "**It cycles, for ever:** pass {now} began with exactly the weights of pass {earlier}, so all that followed comes "
                "again. No line separates these points; **one hidden layer** will.",
                now=now + 1,
                earlier=earlier + 1,
            ),
            icon=":material/all_inclusive:",
        )
    elif machine.samples >= MOST_SAMPLES:
        st.info(_("No end in {n} samples.", n=count(MOST_SAMPLES)), icon=":material/hourglass_bottom:")


def _advance(machine: Perceptron, samples: int) -> None:
    for _sample in range(samples):
        if _over(machine):
            return
        machine.step()


def _play(playing: bool) -> None:
    st.session_state[PLAYING] = playing


def _reset() -> None:
    st.session_state[PLAYING] = False
    st.session_state.pop(MACHINE, None)
