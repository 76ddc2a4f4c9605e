"""The section "Random matrices": a product of random factors, literally and with logarithms, beside its Lyapunov exponents."""

import math
from typing import NamedTuple

import numpy as np
import streamlit as st

from mlp_core.labs.stability.growth import PRECISIONS, LiteralGrowth, affordable_trials, crossing_factor, measured_rate
from mlp_core.reports.export import csv_table
from mlp_core.spec import MAX_SEED, Bounds
from mlp_core.stability.products import ENSEMBLES, rescaled
from mlp_core.theory import Array
from pages.figures import stability as figures
from pages.ui.downloads import download
from pages.ui.link import LinkState, choice, number
from pages.ui.live_chart import live_chart
from pages.ui.sections import beside
from pages.ui.stability import measures
from pages.ui.ticking import follow
from pages.ui.unbroken import button, unbroken

LARGEST_N, MOST_FACTORS, MOST_TRIALS = 64, 1000, 500
VIEWS = {"logarithms": "True size", "literal": "What the computer gets"}
SINGULAR_POINTS = 40
PLAY_SECONDS, PLAY_STEPS = 0.35, 50
PLAYING = "stability_playing"
GROWTH_HEIGHT = 400
FIELDS = (
    choice("law", "gaussian", tuple(ENSEMBLES)),
    number("n", 4, Bounds(1, LARGEST_N, whole=True)),
    number("sigma", 1.0, Bounds(0.001, 100.0)),
    number("factors", 100, Bounds(1, MOST_FACTORS, whole=True)),
    number("trials", 300, Bounds(1, MOST_TRIALS, whole=True)),
    choice("precision", "float32", tuple(PRECISIONS)),
    choice("view", "logarithms", tuple(VIEWS)),
    number("k", 100, Bounds(1, MOST_FACTORS, whole=True)),
    number("draw", 0, Bounds(0, MAX_SEED, whole=True)),
)


class Product(NamedTuple):
    """What the controls ask for."""

    law: str
    n: int
    scale: float
    factors: int
    trials: int
    precision: str
    seed: int

    @property
    def exponents(self) -> Array:
        """Predicted, in nats a factor."""
        return ENSEMBLES[self.law].exponents(self.n, self.scale)

    def crossings(self, literal: LiteralGrowth) -> Array:
        """At which factor each trial left the number format at that end."""
        return literal.overflow_at if self.exponents[0] > 0 else literal.underflow_at

    @property
    def limit_log10(self) -> float:
        """The end of the number format that the product is headed for."""
        limits = PRECISIONS[self.precision]
        return limits.largest_log10 if self.exponents[0] > 0 else limits.smallest_log10


def section(link: LinkState) -> None:
    """Choose a law, a size and a scale; watch the product grow or die."""
    st.markdown(
        "Multiply random matrices, one after another, as a deep network does: the book's 100 of 4 × 4 reach 10²⁴.  \n"
        r"Typical growth is $e^{\lambda_1}$ a factor, with $\lambda_1 = \frac12\left(\ln 2 + \psi(\frac n2)\right) + \ln\sigma$."
    )
    follow(lambda: _product(link, _playing()), PLAY_SECONDS, _playing)


def _playing() -> bool:
    return bool(st.session_state.get(PLAYING))


def _product(link: LinkState, playing: bool) -> None:
    controls, picture = beside("matrices")
    with controls:
        product = _controls(link)
    law, n, scale, factors, trials, precision, seed = product
    growth = rescaled(measures.growth(n, factors, trials, seed=seed, ensemble=law), scale)  # kept at scale 1, which any other only shifts
    literal = measures.literal(precision, n, factors, trials, scale=scale, seed=seed, ensemble=law)
    with picture:
        k = _position(link, product, playing)
        _growth(link, product, growth, literal, k)
        _tiles(product, growth, literal)
        _matrices(link, product, k)
        _critical_panel(link, product)
        download("Growth of every trial (CSV)", "growth.csv", lambda: _csv(growth))
    link.write()


def _controls(link: LinkState) -> Product:
    st.selectbox("Law of the entries", format_func=lambda law: ENSEMBLES[law].label, **link.index("law"))
    st.latex(ENSEMBLES[link["law"]].latex)
    st.slider("Size n of the matrices", **link.value("n"))
    law, n = ENSEMBLES[link["law"]], link["n"]
    st.number_input("Scale σ", step=0.01, format="%.4f", **link.value("sigma"))
    button(
        "Find the σ that neither grows nor dies", "stability_balance", "balance", link.update, {"sigma": law.critical_scale(n)},
        help="Sets σ to exp(−λ₁(n)), where the largest exponent is 0.", width="stretch",
    )  # fmt: skip
    st.slider("Factors", **link.value("factors"))
    with st.popover("Trials, format and seed", icon=":material/tune:"):
        st.slider("Trials", **link.value("trials"))
        st.segmented_control("Number format", required=True, **link.default("precision"))
        st.number_input("Seed", **link.value("draw"))
    factors, wanted = link["factors"], link["trials"]
    trials = min(wanted, affordable_trials(n, factors, link["law"]))
    if trials < wanted:
        fewer = "1 trial" if trials == 1 else f"{trials} trials"
        st.caption(f":material/speed: {fewer} instead of {wanted}, so that {factors} factors of {n} × {n} answer within a second.")
    return Product(link["law"], n, link["sigma"], factors, trials, link["precision"], link["draw"])


def _growth(link: LinkState, product: Product, growth: Array, literal: LiteralGrowth, k: int) -> None:
    literally = link["view"] == "literal"
    rate, variance = product.exponents[0], ENSEMBLES[product.law].variances(product.n)[0]
    theory = figures.Growth(rate / math.log(10), math.sqrt(variance) / math.log(10))
    limits = PRECISIONS[product.precision]
    numbers = figures.NumberRange(product.precision, limits.smallest_log10, limits.largest_log10)
    sizes = literal.size_log10 if literally else growth
    figure = figures.product_growth(sizes, k, theory, numbers, product.crossings(literal), literal=literally)
    alt = f"Size of the product against the number of factors: {product.trials} trials, theory, and the end of {product.precision}"
    live_chart(figure, key="growth", height=GROWTH_HEIGHT, alt=alt)
    if literally:
        live_chart(figures.survivors(sizes, product.precision), key="survivors", height=200, alt="Trials that are still numbers")


def _position(link: LinkState, product: Product, playing: bool) -> int:
    """The play button, the slider of k, and what the product is shown as."""
    link["k"] = min(link["k"], product.factors)
    if playing:
        step = max(1, product.factors // PLAY_STEPS)
        if link["k"] + step >= product.factors:
            link["k"] = product.factors
            st.session_state[PLAYING] = False
            st.rerun()
        link.move("k", link["k"] + step)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label, icon = ("Pause", "pause") if playing else ("Play", "play_arrow")
        button(label, f"stability_{icon}", icon, _play, link, product, not playing, enabled=product.factors > 1)
        if product.factors > 1:
            st.slider("Factors multiplied, k", **link.value("k", max_value=product.factors))
        st.segmented_control("View", format_func=VIEWS.__getitem__, required=True, label_visibility="collapsed", **link.default("view"))
    k: int = link["k"]
    return k


def _matrices(link: LinkState, product: Product, k: int) -> None:
    law, n, scale, factors, _, precision, seed = product
    snapshot = measures.snapshot(k, n, scale=scale, seed=seed, ensemble=law, precision=precision)
    before, after, values = st.columns([1, 1, 1.7], gap="medium")
    literally = link["view"] == "literal"
    with before:
        st.markdown("###### One factor")
        live_chart(figures.matrix_picture(snapshot.first), key="matrix_before", height=250, alt="The first factor as colors")
    with after:
        st.markdown(f"###### After {k}, in {precision}" if literally else rf"###### After {k}, times $10^{{{snapshot.exponent}}}$")
        shown = snapshot.literal if literally else snapshot.mantissa
        live_chart(figures.matrix_picture(shown), key="matrix_after", height=250, alt=f"The product of {k} factors as colors")
    with values:
        st.markdown("###### Singular values: one outgrows the rest")
        at = tuple(int(x) for x in np.unique(np.linspace(1, factors, min(factors, SINGULAR_POINTS)).round()))
        path = rescaled(measures.singular_values(n, at, seed=seed, ensemble=law).T, scale, at).T
        figure = figures.singular_values(at, path, product.exponents / math.log(10), k)
        alt = "Singular values of the product against the number of factors, with theory"
        live_chart(figure, key="singular_values", height=300, alt=alt)


def _tiles(product: Product, growth: Array, literal: LiteralGrowth) -> None:
    rate, crossings = measured_rate(growth), product.crossings(literal)
    crossed = int(np.isfinite(crossings).sum())
    predicted = crossing_factor(product.exponents[0], product.limit_log10)
    kind = "overflow" if product.exponents[0] > 0 else "underflow"
    measured = "–" if math.isnan(rate.mean) else f"{rate.mean:.4f}" + ("" if math.isnan(rate.error) else f" ± {rate.error:.4f}")
    median = f"{np.nanmedian(crossings):.0f}" if crossed else "–"
    expected = "never" if math.isinf(predicted) else f"{predicted:.0f}"
    note = "" if ENSEMBLES[product.law].exact else ", of Gaussian entries with the same variance"
    where = f"In {product.precision}, within {product.factors} factors."
    with st.container(horizontal=True):
        st.metric("λ₁ a factor, measured", measured, border=True, help="Slope of ln max|M|, mean of the trials ± its standard error.")
        st.metric("λ₁, theory", f"{product.exponents[0]:.4f}", border=True, help=f"½(ln 2 + ψ(n/2)) + ln σ{note}.")
        st.metric(f"Trials that {kind}", f"{crossed} of {product.trials}", border=True, help=where)
        st.metric(f"Median k of {kind}", f"{median} (theory: {expected})", border=True, help=f"In {product.precision}.")


def _critical_panel(link: LinkState, product: Product) -> None:
    law, critical = ENSEMBLES[product.law], ENSEMBLES[product.law].critical_scale(product.n)
    text, picture = st.columns([1, 1.6], gap="medium")
    naive = 1 / math.sqrt(product.n) if product.law in ("gaussian", "uniform") else 1.0
    with text:
        st.markdown("##### The σ that neither grows nor dies")
        st.markdown(
            f"For n = {product.n} it is **{critical:.4f}**; 1/√n keeps the *mean square* and is {1 / math.sqrt(product.n):.4f}. "
            "The typical product is smaller than its mean square says, for a few huge trials carry the mean; the more so the smaller n."
        )
        if not law.exact:
            st.caption("For uniform entries there is no closed form; this is the value of Gaussian entries with the same variance.")
        with st.container(horizontal=True):
            for key, label, scale in (("critical", f"{critical:.4f}", critical), ("naive", f"{naive:.4f}", naive), ("one", "1", 1.0)):
                st.button(f"σ = {label}", key=f"stability_{key}", on_click=unbroken(link.update), args=({"sigma": scale},))
    with picture:
        figure = figures.critical_scales(measures.critical_scales(product.law, LARGEST_N), product.n, product.scale)
        live_chart(figure, key="critical", height=300, alt="The critical scale against n, with 1/√n and where the controls stand")


def _play(link: LinkState, product: Product, playing: bool) -> None:
    if playing and link["k"] >= product.factors:
        link["k"] = 1
    st.session_state[PLAYING] = playing
    if not playing:
        link.renew("k")  # a step that the click overtook may have sent another place to the slider


def _csv(growth: Array) -> str:
    trials = {f"trial {index} log10 max|M|": trial.tolist() for index, trial in enumerate(growth, start=1)}
    return csv_table({"k": list(range(1, growth.shape[1] + 1))} | trials)
