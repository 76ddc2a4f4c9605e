"""Take a run home: curves as CSV, weights as safetensors. Opens no file and reads nothing back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields

from safetensors.torch import save
from torch import Tensor

from mlp_core.model import Network
from mlp_core.records import EpochRecord, HistorySnapshot
from mlp_core.spec import RunSpec


def steps_csv(history: HistorySnapshot) -> str:
    """One line a recorded step: step, loss, accuracy (a fraction). Numbers are written so that reading gives the same floats."""
    return _csv(("step", "loss", "accuracy"), zip(history.steps, history.losses, history.accuracies, strict=True))


def epochs_csv(history: HistorySnapshot) -> str:
    """One line an epoch, with the fields of `EpochRecord`."""
    return _csv([field.name for field in fields(EpochRecord)], map(astuple, history.epochs))


def weights_safetensors(network: Network, spec: RunSpec, step: int) -> bytes:
    """Weights as safetensors, named and shaped like those of an `nn.Sequential` of linear layers: `0.weight` (n_out, n_in), `0.bias`, ….

    A learned slope of prelu is `0.alpha`. The metadata hold the experiment as JSON and the step.
    """
    tensors: dict[str, Tensor] = {}
    for layer, (weight, bias) in enumerate(network.weights()):
        tensors |= {f"{layer}.weight": weight, f"{layer}.bias": bias}
    slopes = [parameter.detach() for parameter in network.parameters() if parameter.dim() == 0]
    tensors |= {f"{layer}.alpha": slope for layer, slope in enumerate(slopes)}
    tensors = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
    return save(tensors, metadata={"spec": spec.to_json(), "step": str(step)})


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
