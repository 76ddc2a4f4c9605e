"""The dropout layer by itself: a small tensor, its masks, the network they leave, and their mean; a part of the section "Dropout"."""

import streamlit as st
import torch
from torch import Tensor

from mlp_core.labs.generalization.masks import MOST_MASKS, dropped, kept, running_means, standard_error
from mlp_core.spec import MAX_SEED, Bounds
from mlp_core.words import count, counted, exactly, percent, significant
from pages.figures.dropout import masked_matrix, masked_network, mean_of_masks
from pages.language import _
from pages.ui.link import LinkState, number
from pages.ui.live_chart import live_chart
from pages.ui.sections import beside
from pages.ui.unbroken import button

ROWS, COLUMNS = 2, 8
INPUTS, OUTPUTS = 4, 3  # of the network that is drawn around the tensor's columns
CELLS_HEIGHT, CHART_HEIGHT = 110, 330
MORE = (1, 10, 100, 1000)
FIELDS = (
    number("p", 0.5, Bounds(0.0, 1.0), 0.05),
    number("masks", 20, Bounds(1, MOST_MASKS, whole=True)),
    number("mask_seed", 0, Bounds(0, MAX_SEED, whole=True)),
)


def tensor() -> Tensor:
    """The book's X, (2, 8): 0, 1, … 15."""
    return torch.arange(ROWS * COLUMNS, dtype=torch.float32).reshape(ROWS, COLUMNS)


def part(link: LinkState) -> None:
    """Draw masks, one or a thousand at a time."""
    st.markdown(f"##### {_('The layer: a mask, and survivors scaled by 1/(1 − p)')}")
    controls, results = beside("layer")
    with controls:
        p, masks, seed = _controls(link)
    with results:
        _results(p, masks, seed)


def _results(p: float, masks: int, seed: int) -> None:
    h = tensor()
    outputs = dropped(h, p, seed, masks)
    keeps = kept(h.shape, p, seed, masks)[-1].numpy()
    left, right = st.columns([1.3, 1], gap="medium")
    with left:
        st.markdown("###### " + _("h, the book's X"))
        alt = _("The tensor before dropout: 0 to 15")
        live_chart(masked_matrix(h.double().numpy()), key="dropout_h", height=CELLS_HEIGHT, alt=alt)
        st.markdown(f"###### {_('h′ under mask {number}', number=count(masks))}")
        alt = _("The tensor after dropout: dropped cells are crossed out, the others scaled")
        live_chart(masked_matrix(outputs[-1].double().numpy(), keeps), key="dropout_cells", height=CELLS_HEIGHT, alt=alt)
        st.markdown(_in_words(p, int(keeps.sum())))
    with right:
        st.markdown(f"###### {_('The network that is left for the first row')}")
        figure = masked_network(INPUTS, keeps[0], OUTPUTS)
        alt = _("{units} hidden units, {dropped} of them dropped", units=COLUMNS, dropped=int((~keeps[0]).sum()))
        live_chart(figure, key="dropout_network", height=300, alt=alt)
    _mean(outputs, h, p, masks)
    chance, rest = _("with probability"), _("otherwise")
    st.latex(rf"h' = \begin{{cases}} 0 & \text{{{chance} }} p \\ \dfrac{{h}}{{1-p}} & \text{{{rest}}} \end{{cases}}")
    st.latex(r"E[h'] = p \cdot 0 + (1 - p) \cdot \frac{h}{1-p} = h")


def _controls(link: LinkState) -> tuple[float, int, int]:
    st.slider(_("p, the share that is dropped"), **link.value("p"))
    free = link.fixed.isdisjoint(("masks", "mask_seed"))
    with st.container(horizontal=True):
        for more in MORE:
            label = _("Next mask") if more == 1 else _("{masks} more", masks=count(more))
            icon, type = ("skip_next", "primary") if more == 1 else ("fast_forward", "secondary")
            button(label, f"masks_{more}", icon, _more, link, more, enabled=free and link["masks"] + more <= MOST_MASKS, type=type)
        button(_("Start over"), "masks_over", "restart_alt", _over, link, enabled=free, help=_("With other masks."))
    return link["p"], link["masks"], link["mask_seed"]


def _more(link: LinkState, masks: int) -> None:
    link["masks"] = min(link["masks"] + masks, MOST_MASKS)


def _over(link: LinkState) -> None:
    link["masks"], link["mask_seed"] = 1, (link["mask_seed"] + 1) % MAX_SEED


def _in_words(p: float, survivors: int) -> str:
    if p == 0.0:
        return _("**p = 0** drops nothing: h′ is h.")
    if p == 1.0:
        return _("**p = 1** drops everything: h′ is 0, and nothing can be learned.")
    units, factor = ROWS * COLUMNS, f"1/(1 − {exactly(p)}) = **{significant(1 / (1 - p), 4)}**"
    return _(
        "{survivors} of {units} survive, {average} on average; each is multiplied by {factor}.",
        survivors=survivors, units=units, average=significant(units * (1 - p)), factor=factor,
    )  # fmt: skip


def _mean(outputs: Tensor, h: Tensor, p: float, masks: int) -> None:
    st.markdown(f"###### {_('The mean of all masks so far comes to h')}")
    if p == 1.0:
        st.info(_("At p = 1 the mean is 0 as well: E[h′] = h holds only below."), icon=":material/info:")
        return
    divisible = h.flatten() != 0
    ratios = running_means(outputs).flatten(start_dim=1)[:, divisible] / h.double().flatten()[divisible]
    error = float((ratios[-1].mean() - 1).abs())
    alt = _("Means of h′ over masks, with their band")
    live_chart(mean_of_masks(ratios.numpy(), p), key="dropout_mean", height=CHART_HEIGHT, alt=alt)
    expected = standard_error(p, masks)
    units, outside = len(ratios[-1]), int(((ratios[-1] - 1).abs() > 2 * expected).sum())
    st.caption(
        _(
            "After {masks}: the mean over all units is {error} away from h; that of a single unit is expected to be "
            "√(p / ((1 − p) n)) = {expected} away. {outside} of {units} units are beyond twice that, where about one is to be expected. "
            "A hundred times the masks, a tenth of the error.",
            masks=counted(masks, "{n} mask", "{n} masks"), error=percent(error, 2), expected=percent(expected, 2),
            outside=outside, units=units,
        )
    )  # fmt: skip
