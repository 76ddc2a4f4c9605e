"""What the chosen network is, before it is trained: its picture and its numbers."""

import functools

import streamlit as st

from mlp_core.data import load_fashion_mnist
from mlp_core.network import Counts, count
from mlp_core.spec import MAX_STEP_FLOPS, RunSpec
from mlp_core.words import Message, joined, scaled, significant
from mlp_core.words import count as whole
from pages.figures.network import DRAWING_PX, network_drawing
from pages.language import _, current
from pages.ui import session
from pages.ui.network_drawing import drawing_payload, network_picture
from pages.ui.run import watch
from pages.ui.run.network_state import KEY, activation_label, network_answer, network_state, question_of_drawing

STRIP_PX = 60
MOST_DRAWINGS = 100  # kept for all visitors, of 8 kB each


def network_panel(spec: RunSpec, *, folded: bool = False) -> None:
    """The network as a picture, with its shapes and what it costs.

    Args:
        folded: whether it is a strip, which a click opens above the page.
    """
    counts = count(spec, spec.sizes)
    numbers = {
        "shapes": " → ".join(map(str, spec.sizes)),
        "parameters": whole(counts.parameters),
        "flops": scaled(counts.flops_per_image, "FLOP"),
        "memory": scaled(counts.training_bytes, "B"),
    }
    if folded:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _picture(spec, folded=True, words=_("{shapes} · {parameters} parameters · {flops} an image · {memory} to train", **numbers))
            with st.container(width="content"):  # or the strip would have half of the row
                _details(spec, counts, _("Shapes"))
        return
    _picture(spec, folded=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        kind = "MLP" if spec.hidden else Message("softmax regression, since there is no hidden layer")
        summary = _(
            "**{shapes}** · {kind} · **{parameters}** parameters · **{flops}** per image · **{memory}** to train", kind=kind, **numbers
        )
        st.markdown(summary, width="content")
        _details(spec, counts, _("Shapes, formulas and limits"))


@st.fragment
def _picture(spec: RunSpec, *, folded: bool, words: str = "") -> None:
    """The drawing alone is drawn again where it asks about an image or a unit."""
    data = load_fashion_mnist()
    job, question = session.current_job(), question_of_drawing()
    watch.of_session().question = question
    network_picture(
        _drawing(spec.sizes, activation_label(spec), spec.dropout, data.source, current().short),
        key=KEY,
        height=STRIP_PX if folded else DRAWING_PX,
        alt=_("The network: layers of {widths} units", widths=" → ".join(map(str, spec.sizes))),
        folded=folded,
        words=words,
        images=len(data.test_images),
        state=network_state(job, question) if job is not None else None,
        answer=network_answer(job, question) if job is not None else None,
    )


@functools.lru_cache(maxsize=MOST_DRAWINGS)
def _drawing(sizes: tuple[int, ...], label: str, dropout: tuple[float, ...], source: str, language: str) -> bytes:
    """The network's picture; `source` of the images, the first of which is its input, and `language` of the words in it."""
    image = load_fashion_mnist().test_images[0].numpy()
    return drawing_payload(network_drawing(sizes, activation_label=label, dropout=dropout, image=image))


@st.fragment
def _details(spec: RunSpec, counts: Counts, label: str) -> None:
    """All that is not drawn, nor sent, before somebody opens it."""
    details = st.popover(label, type="tertiary", on_change="rerun", key="network_details")
    if details.open:
        with details:
            _shapes(spec, counts)


def _shapes(spec: RunSpec, counts: Counts) -> None:
    rows = [
        {
            _("layer"): _(layer.name),
            _("input"): f"({spec.batch_size}, {layer.shape[0]})",
            "W": f"({layer.shape[0]}, {layer.shape[1]})",
            "b": f"({layer.shape[1]},)",
            _("output"): f"({spec.batch_size}, {layer.shape[1]})",
            _("parameters"): layer.parameters,
        }
        for layer in counts.layers
    ]
    st.dataframe(rows, hide_index=True)
    st.latex(_forward(spec))
    st.caption(
        _(
            "Memory to train: weights {weights}, gradients {gradients}, optimizer {optimizer}, activations of a batch {activations}, "
            "{rest} to look inside and to test.",
            weights=scaled(counts.weight_bytes, "B"),
            gradients=scaled(counts.gradient_bytes, "B"),
            optimizer=scaled(counts.optimizer_bytes, "B"),
            activations=scaled(counts.activation_bytes, "B"),
            rest=scaled(counts.working_bytes, "B"),
        )
    )
    scheduler, matmul = session.engine()
    limits = Message(
        "Limits, so that nobody can stop everybody: a step may cost {flops}, about a second on one core, "
        "since no other run goes on during a step.",
        flops=scaled(MAX_STEP_FLOPS, "FLOP"),
    )
    room = Message("All networks on this server share {memory} of memory.", memory=scaled(scheduler.memory_bytes or 0, "B"))
    st.caption(_(joined(limits, room) if scheduler.memory_bytes else limits))
    if matmul.largest_error is None:
        st.caption(_("Matrix products run in {library}.", library=matmul.name))
    else:
        error = significant(matmul.largest_error, 1)
        st.caption(
            _(
                "Matrix products run in {library}; measured at the start, oneDNN's largest relative error is {error}.",
                library=matmul.name, error=error,
            )
        )  # fmt: skip


def _forward(spec: RunSpec) -> str:
    layers, last = len(spec.hidden), len(spec.hidden) + 1
    rows = [f"O &= H_{layers}W_{{{last}}} + b_{{{last}}}" if layers else "O &= XW + b", r"\hat{Y} &= \operatorname{softmax}(O)"]
    if layers == 1:
        rows.insert(0, r"H_1 &= \varphi(XW_1 + b_1)")
    elif layers:
        rows.insert(0, rf"H_l &= \varphi(H_{{l-1}}W_l + b_l),\quad l = 1 \ldots {layers},\quad H_0 = X")
    return r"\begin{aligned}" + r"\\".join(rows) + r"\end{aligned}"
