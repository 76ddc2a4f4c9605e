"""What the drawing of a network shows of a run: its weights and activations now, and more of the image and the unit that are chosen."""

import math
from dataclasses import dataclass
from typing import Any

import streamlit as st
from torch import Tensor

from mlp_core.data import CLASS_NAMES
from mlp_core.expression import resolve
from mlp_core.jobs import TrainingJob
from mlp_core.labs.units import UnitValue, probed_images, sample_units, unit_value
from mlp_core.network import Network
from mlp_core.spec import INPUTS, RunSpec
from mlp_core.training.state import as_input
from mlp_core.words import count, percent, significant
from pages.figures import network as figure
from pages.language import _

KEY = "network"  # of the drawing
SIDE = 28


@dataclass(frozen=True, slots=True)
class Question:
    """The image that the visitor chose, by its number in the test set, and the unit, as layer (from 1) and index."""

    image: int | None = None
    unit: tuple[int, int] | None = None


def question_of_drawing() -> Any:
    """What the drawing asked last, as it was sent by the browser."""
    return (st.session_state.get(KEY) or {}).get("ask")


def asked(sent: Any, spec: RunSpec, images: int) -> Question | None:
    """What that is, as far as `images` and a network of `spec` have it; None while nobody asks."""
    if not isinstance(sent, dict):
        return None
    match sent:
        case {"image": int(image)} if 0 <= image < images:
            pass
        case _:
            return Question()
    match sent.get("unit"):
        case [int(layer), int(unit)] if 1 <= layer < len(spec.sizes) and 0 <= unit < spec.sizes[layer]:
            return Question(image, (layer, unit))
    return Question(image)


def network_state(job: TrainingJob, sent: Any = None) -> dict[str, Any] | None:
    """What the run's network does now, in less than 1.5 kB; None before there is one.

    Activations are those of the test image that was `sent`, or the mean over the first training images.
    """
    run, network = job.run, job.run.network
    if network is None or run.sizes[0] != INPUTS:
        return None
    question = asked(sent, run.spec, len(run.data.test_images))
    image = question.image if question is not None else None
    inputs = run.data.train_images[: probed_images(network)] if image is None else run.data.test_images[image : image + 1]
    step = run.step
    sample = sample_units(network, _as_input(inputs, network), figure.drawn_units(run.sizes))
    return figure.network_state(run.sizes, activation_label(run.spec), step, image, sample.weights, sample.activations)


def activation_label(spec: RunSpec) -> str:
    """What the drawing calls the activation of the hidden layers, if there are any."""
    return resolve(spec.activation).label if spec.hidden else ""


def network_answer(job: TrainingJob, sent: Any) -> dict[str, Any] | None:
    """What is said beside the opened drawing; None where nobody has opened it, or there is no network yet."""
    run, network = job.run, job.run.network
    if network is None or run.sizes[0] != INPUTS or (question := asked(sent, run.spec, len(run.data.test_images))) is None:
        return None
    weights = network.weights()[0][0]
    drawn = figure.drawn_units(run.sizes)[1] if run.spec.hidden else []
    answer: dict[str, Any] = {"weights": [_weight_picture(weights[unit]) for unit in drawn]}
    if question.image is None:
        answer["legend"] = _legend(_("Circles: activations, the mean over {n} training images.", n=count(probed_images(network))))
        return answer
    answer["legend"] = _legend(_("Circles: activations for this image."))
    image = run.data.test_images[question.image]
    inputs = _as_input(image[None], network)
    probabilities = sample_units(network, inputs, {}).probabilities
    label = int(run.data.test_labels[question.image])
    answer["image"] = {
        "number": question.image,
        "title": _("Test image {index}: {label}", index=question.image, label=CLASS_NAMES[label]),
        "pixels": figure.base64_of(image.numpy()),
        "classes": [
            {"name": _(name), "label": number == label, "share": p if math.isfinite(p) else 0.0, "probability": _(_percent(p))}
            for number, (name, p) in enumerate(zip(CLASS_NAMES, probabilities.tolist(), strict=True))
        ],
    }
    if question.unit is not None:
        layer, unit = question.unit
        answer["unit"] = _unit(
            run.spec, layer, unit, unit_value(network, inputs, layer, unit), probabilities[unit] if layer > len(run.spec.hidden) else None
        )
        answer["unit"]["picture"] = _weight_picture(weights[unit]) if layer == 1 else None
    return answer


def _unit(spec: RunSpec, layer: int, unit: int, value: UnitValue, probability: float | None) -> dict[str, Any]:
    """The value of a unit in words and numbers; of an output, its `probability` too."""
    total = significant(value.weighted_sum + value.bias)
    sums = [(_("weighted sum Σ w x"), significant(value.weighted_sum)), (_("bias b"), significant(value.bias)), ("Σ w x + b", total)]
    if probability is None:
        which = {"layer": layer, "unit": count(unit + 1), "units": count(spec.sizes[layer])}
        title = _("Hidden layer {layer}: unit {unit} of {units}", **which)
        sums.append((_("φ of it, {activation}", activation=resolve(spec.activation).label), significant(value.activation)))
    else:
        title = _("Output: {label}", label=CLASS_NAMES[unit])
        sums.append((_("softmax of all outputs"), _(_percent(probability))))
    inputs = [(_source(layer, one.source), significant(one.x), significant(one.w), significant(one.x * one.w)) for one in value.inputs]
    return {"title": title, "sums": sums, "inputs": inputs}


def _source(layer: int, index: int) -> str:
    if layer > 1:
        return _("unit {unit} of layer {layer}", unit=count(index + 1), layer=layer - 1)
    row, column = divmod(index, SIDE)
    return _("pixel ({row}, {column})", row=row + 1, column=column + 1)


def _legend(circles: str) -> str:
    """What the colors of the drawing mean."""
    return _(
        "Lines: weights. {circles} Vermilion is positive, blue negative; the stronger, the larger beside the largest drawn in its layer. "
        "Squares of hidden layer 1: the weights of a unit as an image, framed in the color of its activation.",
        circles=circles,
    )


def _percent(probability: float) -> str:
    return percent(probability) if math.isfinite(probability) else "NaN"


def _weight_picture(weights: Tensor) -> str:
    return figure.base64_of(figure.quantized(weights.cpu().numpy()))


def _as_input(images: Tensor, network: Network) -> Tensor:
    """(n, d) as the network is trained on them."""
    weight = network.parameters()[0]
    return as_input(images.flatten(1)).to(weight.device, weight.dtype)
