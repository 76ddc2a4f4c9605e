"""The dropout layer by itself: a small tensor, its masks, the network they leave, and their mean; a part of the section "Dropout"."""

import streamlit as st
import torch
from torch import Tensor

from mlp_core.labs.generalization.masks import MOST_MASKS, dropped, kept, running_means, standard_error
from mlp_core.spec import MAX_SEED, Bounds
from mlp_core.words import count, counted, exactly, percent, significant
from pages.figures.dropout import masked_matrix, masked_network, mean_of_masks
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
    st.markdown("##### The layer: a mask, and survivors scaled by 1/(1 − p)")
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
        st.markdown("###### h, the book's X")
        live_chart(masked_matrix(h.double().numpy()), key="dropout_h", height=CELLS_HEIGHT, alt="The tensor before dropout: 0 to 15")
        st.markdown(f"###### h′ under mask {count(masks)}")
        alt = "The tensor after dropout: dropped cells are crossed out, the others scaled"
        live_chart(masked_matrix(outputs[-1].double().numpy(), keeps), key="dropout_cells", height=CELLS_HEIGHT, alt=alt)
        st.markdown(_in_words(p, int(keeps.sum())))
    with right:
        st.markdown("###### The network that is left for the first row")
        figure = masked_network(INPUTS, keeps[0], OUTPUTS)
        live_chart(figure, key="dropout_network", height=300, alt=f"{COLUMNS} hidden units, {int((~keeps[0]).sum())} of them dropped")
    _mean(outputs, h, p, masks)
    st.latex(r"h' = \begin{cases} 0 & \text{with probability } p \\ \dfrac{h}{1-p} & \text{otherwise} \end{cases}")
    st.latex(r"E[h'] = p \cdot 0 + (1 - p) \cdot \frac{h}{1-p} = h")


def _controls(link: LinkState) -> tuple[float, int, int]:
    st.slider("p, the share that is dropped", **link.value("p"))
    free = link.fixed.isdisjoint(("masks", "mask_seed"))
    with st.container(horizontal=True):
        for more in MORE:
            label, icon, type = ("Next mask", "skip_next", "primary") if more == 1 else (f"{count(more)} more", "fast_forward", "secondary")
            button(label, f"masks_{more}", icon, _more, link, more, enabled=free and link["masks"] + more <= MOST_MASKS, type=type)
        button("Start over", "masks_over", "restart_alt", _over, link, enabled=free, help="With other masks.")
    return link["p"], link["masks"], link["mask_seed"]


def _more(link: LinkState, masks: int) -> None:
    link["masks"] = min(link["masks"] + masks, MOST_MASKS)


def _over(link: LinkState) -> None:
    link["masks"], link["mask_seed"] = 1, (link["mask_seed"] + 1) % MAX_SEED


def _in_words(p: float, survivors: int) -> str:
    if p == 0.0:
        return "**p = 0** drops nothing: h′ is h."
    if p == 1.0:
        return "**p = 1** drops everything: h′ is 0, and nothing can be learned."
    units, factor = ROWS * COLUMNS, f"1/(1 − {exactly(p)}) = **{significant(1 / (1 - p), 4)}**"
    return f"{survivors} of {units} survive, {significant(units * (1 - p))} on average; each is multiplied by {factor}."


def _mean(outputs: Tensor, h: Tensor, p: float, masks: int) -> None:
    st.markdown("###### The mean of all masks so far comes to h")
    if p == 1.0:
        st.info("At p = 1 the mean is 0 as well: E[h′] = h holds only below.", icon=":material/info:")
        return
    divisible = h.flatten() != 0
    ratios = running_means(outputs).flatten(start_dim=1)[:, divisible] / h.double().flatten()[divisible]
    error = float((ratios[-1].mean() - 1).abs())
    live_chart(mean_of_masks(ratios.numpy(), p), key="dropout_mean", height=CHART_HEIGHT, alt="Means of h′ over masks, with their band")
    expected = standard_error(p, masks)
    units, outside = len(ratios[-1]), int(((ratios[-1] - 1).abs() > 2 * expected).sum())
    st.caption(
        f"After {counted(masks, '{n} mask', '{n} masks')}: the mean over all units is {percent(error, 2)} away from h; that of a single unit is expected "  # noqa: E501
        f"to be √(p / ((1 − p) n)) = {percent(expected, 2)} away. {outside} of {units} units are beyond twice that, where about one "
        "is to be expected. A hundred times the masks, a tenth of the error."
    )
