"""What a run or a page shows as files: columns of numbers and curves as CSV, weights as safetensors."""

import csv
import io
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, fields
from queue import Empty, SimpleQueue

import torch
from safetensors.torch import save
from torch import Tensor

from mlp_core.jobs import TrainingJob
from mlp_core.records import EpochRecord, HistorySnapshot
from mlp_core.reports.export.script import linear_places
from mlp_core.training import Run
from mlp_core.training.replicates import Replicates
from mlp_core.words import Message, count

PATIENCE_SECONDS = 30.0  # for a step to end: the slowest takes about one, and other runs may stand in line
POLL_SECONDS = 0.05
PIECE_COLUMNS = (
    "first_step", "last_step", "loss_mean", "loss_lowest", "loss_highest", "accuracy_mean", "accuracy_lowest", "accuracy_highest"
)  # fmt: skip

Rows = Iterable[Sequence[object]]


def csv_table(columns: Mapping[str, Iterable[object]]) -> str:
    """Name -> values, as CSV with a header; floats with all their digits.

    Raises:
        ValueError: columns of unequal length.
    """
    return _csv(tuple(columns), zip(*columns.values(), strict=True))


def steps_csv(history: HistorySnapshot, members: Sequence[HistorySnapshot] = (), first_seed: int = 0) -> str:
    """One line a step: step, loss, accuracy (a fraction). Numbers are written so that reading gives the same floats.

    Where older steps are kept in pieces, one line a piece: its first and last step, and mean, lowest and highest loss and accuracy. All
    later steps are then pieces of one.

    Args:
        members: the histories of several seeds, if there are several: each line then begins with its seed.
        first_seed: of the first member; the others follow.
    """

    def rows(one: HistorySnapshot) -> Rows:
        return zip(one.steps, one.losses, one.accuracies, strict=True)

    if any(one.pieces.ends for one in (history, *members)):
        return _seeds_csv(PIECE_COLUMNS, _piece_rows, history, members, first_seed)
    return _seeds_csv(("step", "loss", "accuracy"), rows, history, members, first_seed)


def epochs_csv(history: HistorySnapshot, members: Sequence[HistorySnapshot] = (), first_seed: int = 0) -> str:
    """One line an epoch, with the fields of `EpochRecord`; arguments as of `steps_csv`."""
    return _seeds_csv([field.name for field in fields(EpochRecord)], lambda one: map(astuple, one.epochs), history, members, first_seed)


def weights_safetensors(run: Run) -> bytes:
    """A run's weights as safetensors, for `load_state_dict` of the exported program's network: `0.weight` (n_out, n_in), `0.bias`, ….

    A learned slope of prelu is the weight (1,) of the `nn.PReLU` behind its layer. Of several seeds all are there, each name with its seed
    before it: `seed3.0.weight`. The metadata hold the experiment as JSON and the step.

    Raises:
        ValueError: there are no weights: none were made yet, or they were given back with the run.
    """
    if run.network is None:
        raise ValueError(Message("weights: there are none"))
    networks = {"": run.network}
    if isinstance(run, Replicates):
        networks = {f"seed{seed}.": network for seed, network in zip(run.seeds, run.replicas, strict=True)}
    tensors: dict[str, Tensor] = {}
    places = linear_places(run.spec, run.history.changes)  # a dropout that came on the way has its place among the layers
    for whose, network in networks.items():
        for place, (weight, bias) in zip(places, network.weights(), strict=True):
            tensors |= {f"{whose}{place}.weight": weight, f"{whose}{place}.bias": bias}
        slopes = [parameter.detach() for parameter in network.parameters() if parameter.dim() == 0]
        tensors |= {f"{whose}{place + 1}.weight": slope.reshape(1) for place, slope in zip(places, slopes, strict=False)}
    tensors = {name: tensor.cpu().clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}
    return save(tensors, metadata={"spec": run.spec.to_json(), "step": str(run.step)})


def weights_of(job: TrainingJob) -> bytes:
    """A job's weights as safetensors, taken between two steps, so that no step is half in them; waits for the one under way.

    Raises:
        TimeoutError: the step under way does not end.
        ValueError: there are no weights.
    """
    run, taken = job.run, SimpleQueue[bytes]()
    if run.finished or run.network is None:
        return weights_safetensors(run)
    job.change(lambda run: taken.put(weights_safetensors(run)))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            return taken.get(timeout=POLL_SECONDS)
        except Empty:
            if run.finished:  # it ended before its turn to be changed came
                return weights_of(job)
    raise TimeoutError(Message("weights: the step under way did not end in {seconds} seconds", seconds=count(PATIENCE_SECONDS)))


def _piece_rows(history: HistorySnapshot) -> Rows:
    """Lines of `PIECE_COLUMNS`."""
    first = 0
    for end, loss, accuracy, size in zip(*history.pieces, history.pieces.sizes, strict=True):
        last = bisect_right(history.steps, end, first)
        losses, accuracies = history.losses[first:last], history.accuracies[first:last]
        yield end - size + 1, end, loss, min(losses), max(losses), accuracy, min(accuracies), max(accuracies)
        first = last
    for step, loss, accuracy in zip(history.steps[first:], history.losses[first:], history.accuracies[first:], strict=True):
        yield step, step, loss, loss, loss, accuracy, accuracy, accuracy


def _seeds_csv(
    header: Sequence[str],
    rows: Callable[[HistorySnapshot], Rows],
    history: HistorySnapshot,
    members: Sequence[HistorySnapshot],
    first_seed: int,
) -> str:
    if not members:
        return _csv(header, rows(history))
    return _csv(("seed", *header), ((seed, *row) for seed, member in enumerate(members, start=first_seed) for row in rows(member)))


def _csv(header: Sequence[str], rows: Rows) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
