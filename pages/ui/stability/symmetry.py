"""The section "Symmetry": equal weights, and what parts them; distinct units over training, and what they look for."""

import streamlit as st

from mlp_core.jobs import TrainingJob
from mlp_core.labs.symmetry import Variant, distinct_units, kinds_in_words, one_of_each_kind, variants
from mlp_core.spec import Bounds
from mlp_core.words import counted
from pages.figures.depth import distinct_unit_counts
from pages.figures.pictures import weight_images
from pages.language import _
from pages.ui.data_source import load_data
from pages.ui.link import LinkState, number, stop
from pages.ui.live_chart import live_chart
from pages.ui.measures import Values
from pages.ui.run.job_groups import follow_group
from pages.ui.run.measures import OF_CLASSES, OF_LAYERS, Runs
from pages.ui.stability.training import CHART_HEIGHT, curves, on_images, outcome, outcome_places, side_by_side

GROUP = "symmetry"
MEASURES = OF_CLASSES | OF_LAYERS
UNITS = ("4", "16", "50", "64", "256")  # 50 do not fill the vectors of a processor, so that rounding parts them
PICTURED = 8  # units of each run whose weights are shown
FIELDS = (
    stop("units", "256", UNITS),
    number("symmetry_epochs", 3, Bounds(1, 10, whole=True)),
)


def section(link: LinkState) -> None:
    """Three starts of one hidden layer: all equal, equal with dropout, and nearly equal."""
    st.markdown(
        _(
            "Give every weight the **same value**, and every unit of the layer computes the same, gets the same gradient and takes the "
            "same step. The loss moves, yet the whole layer is worth one unit, as long as they are equal to the last bit: try 50 units, "
            "and wait."
        )
    )
    load_data()
    units, epochs = st.columns(2, gap="medium")
    units.select_slider(_("Hidden units"), **link.value("units"))
    epochs.slider(_("Epochs"), **link.value("symmetry_epochs"))
    runs, chosen = subject(link), _variants(link)
    follow_group(GROUP, lambda: _runs(runs, chosen))


def _variants(values: Values) -> tuple[Variant, ...]:
    return variants(int(values["units"]), values["symmetry_epochs"], values["seed"])


def subject(values: Values) -> Runs:
    """One run a start."""
    return on_images(GROUP, [(variant.label, variant.spec) for variant in _variants(values)], MEASURES)


def _runs(runs: Runs, chosen: tuple[Variant, ...]) -> None:
    shown = side_by_side(runs, _("Train all three"))
    if not shown:
        return
    units, *places = st.columns(3, gap="medium")
    series = [(_(one.title), *distinct_units(one.snapshot.history)) for one in shown]
    first = shown[0].snapshot
    figure = distinct_unit_counts(series, first.spec.hidden[0], first.steps_per_epoch, first.spec.epochs)
    with units:
        st.markdown(f"###### {_('Units that differ from each other')}")
        alt = _("Number of distinct hidden units against epochs, one line a start")
        live_chart(figure, key="distinct", height=CHART_HEIGHT, alt=alt)
    curves(places, shown, log=True)
    for place, (title, snapshot, job), variant in zip(outcome_places(len(shown)), shown, chosen, strict=True):
        with place:
            outcome(title, snapshot)
            st.caption(_(variant.lesson))
            if snapshot.history.probes:
                st.caption(_(kinds_in_words(snapshot.spec, *distinct_units(snapshot.history))))
            _weights(title, job)


def _weights(title: str, job: TrainingJob) -> None:
    """Some units' weights as pictures, as they are now: of each kind one, then others."""
    if (network := job.run.network) is None:
        return
    weights = one_of_each_kind(network.weights()[0][0].cpu().clone(), PICTURED).numpy()
    figure = weight_images(weights, columns=4, most=PICTURED)
    alt = _(counted(len(weights), "Weights of {n} unit as pictures: {title}", "Weights of {n} units as pictures: {title}", title=title))
    live_chart(figure, key=f"weights_{title}", height=190, alt=alt)
