"""The section "Random matrices": a product of random factors, literally and with logarithms, beside its Lyapunov exponents."""

import math
from typing import NamedTuple

import numpy as np
import streamlit as st

from mlp_core.labs.stability.exponents import Exponent, largest_exponent
from mlp_core.labs.stability.growth import PRECISIONS, LiteralGrowth, Rate, affordable_trials, crossing_factor
from mlp_core.reports.export import csv_table
from mlp_core.spec import MAX_SEED, Bounds
from mlp_core.stability.products import ENSEMBLES, rescaled
from mlp_core.theory import Array
from mlp_core.words import Message, count, counted, exactly, fixed, joined, plus_minus, significant
from pages.figures import stability as figures
from pages.language import _, said, written
from pages.ui.downloads import download
from pages.ui.link import LinkState, choice, number
from pages.ui.live_chart import live_chart
from pages.ui.measures import Computed, Values, once
from pages.ui.sections import beside
from pages.ui.stability import measures
from pages.ui.ticking import follow
from pages.ui.unbroken import button, unbroken

LARGEST_N, MOST_FACTORS, MOST_TRIALS = 64, 1000, 500
VIEWS = {"logarithms": Message("True size"), "literal": Message("What the computer gets")}
SINGULAR_POINTS = 40
PLAY_SECONDS, PLAY_STEPS = 0.35, 50
PLAYING = "stability_playing"
NO_RATE = 1e-12  # nats a factor; less is the rounding of ln σ
HOW_MEASURED = Message(
    "Growth of one column of the product, mean of the trials ± its standard error. The largest entry of all grows a little faster at "
    "first, until the columns lie in one direction, and would give more."
)
GROWTH_HEIGHT = 400
FIELDS = (
    choice("law", "gaussian", tuple(ENSEMBLES)),
    number("n", 4, Bounds(1, LARGEST_N, whole=True)),
    number("sigma", 1.0, Bounds(0.001, 100.0), 0.01),
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
    def exponent(self) -> Exponent:
        """λ₁ at scale 1."""
        return largest_exponent(self.law, self.n)

    @property
    def rate(self) -> float:
        """λ₁, predicted, in nats a factor; what is left of it by rounding at the critical scale is 0."""
        rate = self.exponent.value + math.log(self.scale)
        return rate if abs(rate) > NO_RATE else 0.0

    @property
    def rates(self) -> Array:
        """All n exponents, predicted; NaN where that cannot be said."""
        exponents = ENSEMBLES[self.law].exponents(self.n)
        if exponents is None:
            return np.array([self.rate] + [math.nan] * (self.n - 1))
        return exponents + math.log(self.scale)

    @property
    def theory(self) -> str:
        """What the prediction is called."""
        return Message("estimate") if self.exponent.error else Message("theory")

    def crossings(self, literal: LiteralGrowth) -> Array:
        """At which factor each trial left the number format at that end."""
        return literal.overflow_at if self.rate > 0 else literal.underflow_at

    @property
    def limit_log10(self) -> float:
        """The end of the number format that the product is headed for."""
        limits = PRECISIONS[self.precision]
        return limits.largest_log10 if self.rate > 0 else limits.smallest_log10


class Grown(NamedTuple):
    """What products come to: log10 of their size (trials, factors), λ₁ at scale 1 as measured, and what a number format makes of them."""

    product: Product
    k: int
    growth: Array
    rate: Rate
    literal: LiteralGrowth

    @property
    def measured_rate(self) -> float:
        """λ₁ in nats a factor."""
        return self.rate.mean + math.log(self.product.scale)

    def crossed(self, at: Array) -> float:
        """The share of the trials that did by the last factor."""
        return float(np.isfinite(at).mean())

    def median(self, at: Array) -> float:
        """At which factor the trial in the middle did; infinite where it has not."""
        return float(np.median(np.where(np.isnan(at), math.inf, at)))


MEASURES = {
    "log10_size": once(
        Message("Size of the product"), Message("Largest |entry| after k factors, median"), "log10",
        lambda one: np.median(one.growth[:, one.k - 1]),
    ),
    "growth_per_factor": once(
        Message("Measured λ₁"), Message("Growth in nats a factor, of one column, mean of the trials"), "number",
        lambda one: one.measured_rate,
    ),
    "predicted_growth": once(Message("Predicted λ₁"), Message("The same by theory"), "number", lambda one: one.product.rate),
    "critical_scale": once(
        Message("Critical σ"), Message("At which the typical product neither grows nor dies: exp(−λ₁), with λ₁ at σ = 1"), "number",
        lambda one: one.product.exponent.critical_scale,
    ),
    "overflowed_fraction": once(
        Message("Overflowed"), Message("Trials with an entry beyond the number format, within all factors"), "fraction",
        lambda one: one.crossed(one.literal.overflow_at),
    ),
    "underflowed_fraction": once(
        Message("Underflowed"), Message("Trials with nothing but 0 in the number format, within all factors"), "fraction",
        lambda one: one.crossed(one.literal.underflow_at),
    ),
    "median_overflow": once(
        Message("Factors until half of the trials have overflowed"), Message("Infinite where fewer have"), "number",
        lambda one: one.median(one.literal.overflow_at),
    ),
}  # fmt: skip


def section(link: LinkState) -> None:
    """Choose a law, a size and a scale; watch the product grow or die."""
    what = _("Multiply random matrices, one after another, as a deep network does: the book's 100 of 4 × 4 reach 10²⁴.")
    growth = _(
        r"Typical growth is $e^{\lambda_1}$ a factor; $\lambda_1$, the largest Lyapunov exponent, depends on the law of the entries."
    )
    st.markdown(f"{what}  \n{growth}")
    follow(lambda: _product(link, _playing()), PLAY_SECONDS, _playing)


def _playing() -> bool:
    return bool(st.session_state.get(PLAYING))


def _product(link: LinkState, playing: bool) -> None:
    controls, picture = beside("matrices")
    with controls:
        product = _controls(link)
    with picture:
        k = _position(link, product, playing)
        grown = _grown(product, k)
        _growth(link, grown)
        _tiles(grown)
        _matrices(link, product, k)
        _critical_panel(link, product)
        download(_("Growth of every trial (CSV)"), written("growth.csv"), lambda: _csv(grown.growth))
    link.write()


def subject(values: Values) -> Computed:
    """The products that the fields describe."""
    product = _product_of(values)

    def rest() -> None:
        st.session_state[PLAYING] = False

    return Computed(MEASURES, results=lambda: {"": _grown(product, min(values["k"], product.factors))}, rest=rest)


def _product_of(values: Values) -> Product:
    law, n, factors = values["law"], values["n"], values["factors"]
    trials = min(values["trials"], affordable_trials(n, factors, law))
    return Product(law, n, values["sigma"], factors, trials, values["precision"], values["draw"])


def _grown(product: Product, k: int) -> Grown:
    law, n, scale, factors, trials, precision, seed = product
    growth, rate = measures.growth(n, factors, trials, seed, law)
    literal = measures.literal(precision, n, factors, trials, scale=scale, seed=seed, ensemble=law)
    return Grown(product, k, rescaled(growth, scale), rate, literal)


def _controls(link: LinkState) -> Product:
    st.selectbox(_("Law of the entries"), format_func=lambda law: _(ENSEMBLES[law].label), **link.index("law"))
    st.latex(ENSEMBLES[link["law"]].latex)
    st.slider(_("Size n of the matrices"), **link.value("n"))
    n, critical = link["n"], largest_exponent(link["law"], link["n"]).critical_scale
    _exponent_formula(link["law"], n)
    st.number_input(_("Scale σ"), **link.value("sigma"))
    button(
        _("Find the σ that neither grows nor dies"), "stability_balance", "balance", link.update, {"sigma": critical},
        help=_("Sets σ to exp(−λ₁), with λ₁ at σ = 1: there the largest exponent is 0."), width="stretch",
    )  # fmt: skip
    st.slider(_("Factors"), **link.value("factors"))
    with st.popover(_("Trials, format and seed"), icon=":material/tune:"):
        st.slider(_("Trials"), **link.value("trials"))
        st.segmented_control(_("Number format"), required=True, **link.default("precision"))
        st.number_input(_("Seed"), **link.value("draw"))
    product = _product_of(link)
    if product.trials < link["trials"]:
        fewer = counted(
            product.trials,
            "{n} trial instead of {wanted}, so that the page answers within a second.",
            "{n} trials instead of {wanted}, so that the page answers within a second.",
            wanted=link["trials"],
        )
        st.caption(f":material/speed: {_(fewer)}")
    return product


def _exponent_formula(law: str, n: int) -> None:
    exponent = largest_exponent(law, n)
    if exponent.error:
        error = fixed(exponent.error, 4)
        st.caption(_(r"No closed form of $\lambda_1$ is known for this law and $n > 1$: it is **estimated**, to ± {error}.", error=error))
    else:
        st.markdown(rf"$\lambda_1 = {ENSEMBLES[law].exponent_latex}$")


def _growth(link: LinkState, grown: Grown) -> None:
    product, k, growth, _rate, literal = grown
    literally = link["view"] == "literal"
    theory = figures.Growth(product.rate / math.log(10), math.sqrt(product.exponent.variance) / math.log(10), product.theory)
    limits = PRECISIONS[product.precision]
    numbers = figures.NumberRange(product.precision, limits.smallest_log10, limits.largest_log10)
    sizes = literal.size_log10 if literally else growth
    figure = figures.product_growth(sizes, k, theory, numbers, product.crossings(literal), literal=literally)
    alt = counted(
        product.trials,
        "Size of the product against the number of factors: {n} trial, theory, and the end of {format}",
        "Size of the product against the number of factors: {n} trials, theory, and the end of {format}",
        format=product.precision,
    )
    live_chart(figure, key="growth", height=GROWTH_HEIGHT, alt=_(alt))
    if literally:
        live_chart(figures.survivors(sizes, product.precision), key="survivors", height=200, alt=_("Trials that are still numbers"))


def _position(link: LinkState, product: Product, playing: bool) -> int:
    """The play button, the slider of k, and what the product is shown as."""
    most = Message("must be at most the number of factors, {factors}", factors=product.factors)
    link.fit("k", min(link["k"], product.factors), most)
    if playing:
        step = max(1, product.factors // PLAY_STEPS)
        if link["k"] + step >= product.factors:
            link["k"] = product.factors
            st.session_state[PLAYING] = False
            st.rerun()
        link.move("k", link["k"] + step)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label, icon = (_("Pause"), "pause") if playing else (_("Play"), "play_arrow")
        button(label, f"stability_{icon}", icon, _play, link, product, not playing, enabled=product.factors > 1 and "k" not in link.fixed)
        if product.factors > 1:
            st.slider(_("Factors multiplied, k"), **link.value("k", max_value=product.factors))
        st.segmented_control(_("View"), format_func=said(VIEWS), required=True, label_visibility="collapsed", **link.default("view"))
    k: int = link["k"]
    return k


def _matrices(link: LinkState, product: Product, k: int) -> None:
    law, n, scale, factors, _trials, precision, seed = product
    snapshot = measures.snapshot(k, n, scale=scale, seed=seed, ensemble=law, precision=precision)
    before, after, values = st.columns([1, 1, 1.7], gap="medium")
    literally = link["view"] == "literal"
    with before:
        st.markdown(f"###### {_('One factor')}")
        live_chart(figures.matrix_picture(snapshot.first), key="matrix_before", height=250, alt=_("The first factor as colors"))
    with after:
        if literally:
            title, shown = _("After {k}, in {format}", k=k, format=precision), snapshot.literal
        else:
            title, shown = _("After {k}, times $10^{{exponent}}$", k=k, exponent=snapshot.exponent), snapshot.mantissa
        st.markdown(f"###### {title}")
        alt = _(counted(k, "The product of {n} factor as colors", "The product of {n} factors as colors"))
        live_chart(figures.matrix_picture(shown), key="matrix_after", height=250, alt=alt)
    with values:
        st.markdown(f"###### {_fate_of_singular_values(product)}")
        at = tuple(int(x) for x in np.unique(np.linspace(1, factors, min(factors, SINGULAR_POINTS)).round()))
        path = rescaled(measures.singular_values(n, at, seed=seed, ensemble=law).T, scale, at).T
        figure = figures.singular_values(at, path, product.rates / math.log(10), k, product.theory)
        alt = _("Singular values of the product against the number of factors, with {theory}", theory=product.theory)
        live_chart(figure, key="singular_values", height=300, alt=alt)


def _fate_of_singular_values(product: Product) -> str:
    if product.n == 1:
        return _("The singular value: |M|")
    equal = np.ptp(product.rates) == 0  # NaN is not
    return _("Singular values: all stay equal") if equal else _("Singular values: one outgrows the rest")


def _tiles(grown: Grown) -> None:
    product, rate = grown.product, grown.rate
    crossings = product.crossings(grown.literal)
    crossed = int(np.isfinite(crossings).sum())
    predicted = crossing_factor(product.rate, product.limit_log10)
    mean, spread = (0.0 if abs(part) < NO_RATE else part for part in (grown.measured_rate, rate.error))
    measured = "–" if math.isnan(mean) else fixed(mean, 4) if math.isnan(spread) else plus_minus(mean, spread)
    median = grown.median(crossings)
    median_k = significant(median, 4) if math.isfinite(median) else f"> {product.factors}"
    expected = Message("never") if math.isinf(predicted) else count(predicted)
    error = product.exponent.error
    if error:
        how = _("Estimated, ± its standard error: how much a random factor stretches a vector of the product, on average.")
    else:
        how = _("Exact.")
    grows = product.rate > 0
    where = _(counted(product.factors, "In {format}, within {n} factor.", "In {format}, within {n} factors.", format=product.precision))
    with st.container(horizontal=True):
        st.metric(_("λ₁ a factor, measured"), measured, border=True, help=_(HOW_MEASURED))
        shown = plus_minus(product.rate, error) if error else fixed(product.rate, 4)
        st.metric(_("λ₁, {theory}", theory=product.theory), shown, border=True, help=how)
        share = _("{crossed} of {trials}", crossed=crossed, trials=product.trials)
        st.metric(_("Trials that overflow") if grows else _("Trials that underflow"), share, border=True, help=where)
        both = _("{median} ({theory}: {expected})", median=median_k, theory=product.theory, expected=expected)
        st.metric(_("Median k of overflow") if grows else _("Median k of underflow"), both, border=True, help=where)


def _critical_panel(link: LinkState, product: Product) -> None:
    critical, naive = product.exponent.critical_scale, ENSEMBLES[product.law].mean_square_scale(product.n)
    text, picture = st.columns([1, 1.6], gap="medium")
    with text:
        st.markdown(f"##### {_('The σ that neither grows nor dies')}")
        st.markdown(_critical_words(product, critical, naive))
        with st.container(horizontal=True):
            for place, scale in enumerate(dict.fromkeys((critical, naive, 1.0))):
                label = "σ = 1" if scale == 1.0 else f"σ = {scale:.4f}"
                st.button(label, key=f"stability_scale_{place}", on_click=unbroken(link.update), args=({"sigma": scale},))
    with picture:
        curve, rule = measures.critical_scales(product.law, LARGEST_N)
        figure = figures.critical_scales(curve, rule, product.n, product.scale)
        alt = _("The critical scale against n, with the one that keeps the mean square, and where the controls stand")
        live_chart(figure, key="critical", height=300, alt=alt)


def _critical_words(product: Product, critical: float, naive: float) -> str:
    n, exponent = product.n, product.exponent
    if exponent.variance == 0.0:
        return _(
            "For every n it is **{critical}**: a factor stretches all directions by σ, no more and no less, so every trial is σᵏ "
            "times a rotation or a reflection. Typical size and mean square are the same.",
            critical=exactly(critical),
        )
    rule = "1" if naive == 1.0 else f"1/√n = {naive:.4f}"
    if exponent.error:
        value = plus_minus(critical, exponent.critical_error)
        here = Message("For n = {n} it is **{value}** (estimated); σ = {rule} keeps the *mean square*.", n=n, value=value, rule=rule)
    else:
        here = Message("For n = {n} it is **{value}**; σ = {rule} keeps the *mean square*.", n=n, value=f"{critical:.4f}", rule=rule)
    why = Message(
        "The typical product is smaller than its mean square says, for a few huge trials carry the mean; the more so the smaller n."
    )
    return _(joined(here, why))


def _play(link: LinkState, product: Product, playing: bool) -> None:
    if playing and link["k"] >= product.factors:
        link["k"] = 1
    st.session_state[PLAYING] = playing
    if not playing:
        link.renew("k")  # a step that the click overtook may have sent another place to the slider


def _csv(growth: Array) -> str:
    trials = {written("trial {number} log10 max|M|", number=index): trial.tolist() for index, trial in enumerate(growth, start=1)}
    return csv_table({"k": list(range(1, growth.shape[1] + 1))} | trials)
