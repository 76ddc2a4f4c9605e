"""Several networks of one shape trained at once. `Replicates`: one design from several seeds, so that one lucky run does not mislead;
`Together`: designs that differ in what does not change their products, as the cells of a sweep do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import torch
from torch import Tensor

from mlp_core.activations import Activation
from mlp_core.bounds import shown
from mlp_core.data import Dataset
from mlp_core.losses import CROSS_ENTROPY, Loss
from mlp_core.network import NETWORKS, Network, generator_for
from mlp_core.network.batched import Batched
from mlp_core.network.network import images_per_piece
from mlp_core.optimizers import Optimizer
from mlp_core.records import EpochRecord, History, HistorySnapshot, SettingChange, StepRecord, StopReason
from mlp_core.spec import MAX_SEED, RunSpec, SpecError
from mlp_core.training import ends
from mlp_core.training.checkpoints import Checkpoints
from mlp_core.training.run import Run
from mlp_core.training.state import Evaluation, EvaluationInProgress, TrainingState, as_input
from mlp_core.words import Message

DEFAULT_SEEDS = 5
INITIAL = ("seed", "init", "init_std", "init_value", "init_noise")  # decide the weights that a network begins with
MOVING = (  # decide how weights are moved
    *("optimizer", "lr", "momentum", "nesterov", "beta1", "beta2", "rho", "eps", "divide_by_batch", "weight_decay", "l1"),
)
OWN = (*INITIAL, *MOVING)  # settings that networks which are trained at once may have each for itself


class Together(Run):
    """Several experiments carried out at once, each, to rounding, as it would be alone. They differ in settings that are `OWN`.

    What a run has one of (`spec`, `network`, `history`, `evaluation`, `inspections`) is here that of the first; `members` are all
    histories. Only the first one's layers are measured, and nothing is kept to go back to.

    One whose loss is not finite ends where it broke, as it would alone, and the others go on; the whole diverges when all have.

    Args:
        specs: the experiments. Those of one seed see the same images at every step: where they stand in a row, as many of each seed,
            one product does for their first layers.
        data, loss, changes: as of a `Run`; changes only where all move alike.

    Raises:
        SpecError: they differ in another setting, or a step of so many networks takes too long; and what a `Run` raises.
    """

    def __init__(self, specs: Sequence[RunSpec], data: Dataset, loss: Loss = CROSS_ENTROPY, changes: Sequence[SettingChange] = ()) -> None:
        self.specs, self.networks = tuple(specs), len(specs)
        for spec in specs:
            for name, (value, first) in spec.differences(specs[0]).items():
                if name not in OWN:
                    rule = Message("must be the same in all experiments that are trained at once, {value}", value=shown(first))
                    raise SpecError(name, rule, value)
        super().__init__(specs[0], data, loss, changes)
        self.replicas: tuple[Network, ...] = ()  # all networks, once built
        self.checkpoints = Checkpoints()
        self._histories = [self.history, *(History() for _ in specs[1:])]
        self._diverged: dict[int, StopReason] = {}  # by the index of an experiment

    @property
    def members(self) -> tuple[HistorySnapshot, ...]:
        """The history of every experiment."""
        changes, knots = tuple(self.history.changes), self.history.knots  # of all seeds
        snapshots = [replace(history.snapshot(), changes=changes, knots=knots) for history in self._histories]
        for index, reason in self._diverged.items():
            snapshots[index] = snapshots[index].until(reason.step)
        return tuple(snapshots)

    @property
    def stop_reasons(self) -> tuple[StopReason, ...]:
        """Why every experiment ended, once all have."""
        assert self.stop_reason is not None
        kind, step, detail = self.stop_reason.kind, self.stop_reason.step, self.stop_reason.detail
        of_others = StopReason(kind, step, ends.completed(self.spec.epochs) if kind == "completed" else detail)
        return tuple(self._diverged.get(index, of_others) for index in range(self.networks))

    @property
    def epoch(self) -> int:
        return max(len(history.epochs) for history in self._histories)

    @property
    def images_seen(self) -> int:
        """Training images used so far, those of all networks together."""
        return self.networks * super().images_seen

    @property
    def tested(self) -> bool:
        return super().tested or 0 in self._diverged

    def abandon(self) -> None:
        super().abandon()
        self.replicas = ()

    @property
    def _going(self) -> list[int]:
        """Indices of those that go on."""
        return [index for index in range(self.networks) if index not in self._diverged]

    def _checked(self, settings: RunSpec, changed: dict[str, Any]) -> RunSpec:
        for spec in self.specs:
            for name, (value, first) in spec.differences(self.specs[0]).items():
                if name in MOVING:
                    raise SpecError(name, Message("must be the same where settings change in mid-run, {value}", value=shown(first)), value)
        return super()._checked(settings, changed)

    def _new_state(self) -> TogetherState:
        state = TogetherState(self.specs, self.data, self.loss, self.sizes, self.device, self.activation)
        self.replicas = state.batched.networks
        return state

    def _train_step(self, state: TrainingState) -> None:
        assert isinstance(state, TogetherState)
        images, labels = state.next_batch()
        with state.precision:
            losses, logits = state.batched.loss(images, labels)
        values, hits, n = losses.tolist(), state.right(logits, labels), labels.shape[1]
        with self.lock:
            self.step += 1
            for index in self._going:
                self._histories[index].steps.append(StepRecord(self.step, values[index], hits[index] / n))
        self._end_broken(state, values, tested=False)
        if self.finished:
            return
        with state.precision:
            state.batched.backward(losses)
        state.move()
        state.count(values, hits, n)
        self._after_step(state)

    def _end_epoch(self, state: TrainingState, evaluation: Evaluation) -> None:
        assert isinstance(state, TogetherState)
        epoch, count, going = self.epoch + 1, self.train_count, self._going
        test_losses, test_accuracies = state.tested()
        trained = zip(state.loss_sums, state.hit_sums, test_losses, test_accuracies, strict=True)
        records = [EpochRecord(epoch, self.step, loss / count, hits / count, *tested) for loss, hits, *tested in trained]
        self._start_epoch(state)
        with self.lock:
            if 0 in going:
                self.evaluation = evaluation
            for index in going:
                self._histories[index].epochs.append(records[index])
        self._end_broken(state, test_losses, tested=True)
        self._after_epoch(state)

    def _probe(self, state: TrainingState) -> None:
        if 0 not in self._diverged:
            super()._probe(state)

    def _end_broken(self, state: TogetherState, values: Sequence[float], *, tested: bool) -> None:
        """End every experiment whose value is not finite; its network stays as it is."""
        for index in self._going:
            if not math.isfinite(values[index]):
                state.batched.release(index)
                with self.lock:
                    self._diverged[index] = StopReason("diverged", self.step, ends.diverged(self.step, values[index], tested=tested))
        if not self._going:
            self.stop("diverged", ends.all_diverged(self.step, self.networks, tested=tested))

    def _completed(self) -> str:
        return ends.completed(self.spec.epochs, len(self._diverged), self.networks)


class Replicates(Together):
    """An experiment carried out from several seeds at once: its spec's own and the next ones.

    Args:
        spec, data, loss, changes: as of a `Run`.
        seeds: how many.

    Raises:
        SpecError: the last seed would be too large, or a step of so many networks; and what a `Run` raises.
    """

    def __init__(
        self, spec: RunSpec, data: Dataset, loss: Loss = CROSS_ENTROPY, changes: Sequence[SettingChange] = (), seeds: int = DEFAULT_SEEDS
    ) -> None:
        if spec.seed > MAX_SEED - seeds + 1:
            rule = Message("must be at most {most}, to be the first of {seeds}", most=MAX_SEED - seeds + 1, seeds=seeds)
            raise SpecError("seed", rule, spec.seed)
        self.seeds = tuple(range(spec.seed, spec.seed + seeds))
        super().__init__([replace(spec, seed=seed) for seed in self.seeds], data, loss, changes)


class TogetherState(TrainingState):
    """The training state of S networks; what it has of one network (`network`, `measure`, `inspect`) is of the first.

    Every network draws its weights, its order of the images and its dropout masks as it would alone.

    Args:
        specs: one a network.
        data, loss, sizes, device, activation: as of a `TrainingState`.

    Attributes:
        batched: all networks.
        loss_sums, hit_sums: of every network's images so far in this epoch.
    """

    def __init__(
        self,
        specs: Sequence[RunSpec],
        data: Dataset,
        loss: Loss,
        sizes: tuple[int, ...],
        device: torch.device,
        activation: Activation | None = None,
    ) -> None:
        seeds = [spec.seed for spec in specs]
        rows = list(dict.fromkeys(seeds))
        each = len(seeds) // len(rows)
        if seeds != [seed for seed in rows for _ in range(each)]:
            rows = seeds
        self._orders = [generator_for(replace(specs[0], seed=seed), "order") for seed in rows]  # before the base class begins an epoch
        self._networks = len(specs)
        super().__init__(specs[0], data, loss, sizes, device, activation)
        others = [NETWORKS[one.implementation](one, sizes, device, loss=loss, activation=activation) for one in specs[1:]]
        self.batched = Batched([self.network, *others], specs[0], loss, [generator_for(one, "dropout", device) for one in specs])
        self._parameters, self._rows = self.batched.parameters(), list[tuple[slice, Optimizer]]()
        for _key, row in groupby(range(len(specs)), key=lambda index: _moved(specs[index])):
            first, *rest = row
            part = slice(first, first + 1 + len(rest))
            alike = self._parameters if len(rest) == len(specs) - 1 else [common.detach()[part] for common in self._parameters]
            self._rows.append((part, Optimizer(specs[first], alike)))
        self.optimizer = self._rows[0][1]
        self._loss = loss
        self._test_piece = images_per_piece(sizes, self.network.activation, len(specs))

    def follow(self, settings: RunSpec) -> None:
        super().follow(settings)  # where they move in several ways, no setting changes
        self.batched.set_dropout(settings.dropout)

    def move(self) -> None:
        """Move all weights once."""
        if len(self._rows) == 1:
            self.optimizer.step()
            return
        for part, optimizer in self._rows:
            for mine, common in zip(optimizer.parameters, self._parameters, strict=True):
                mine.grad = common.grad[part] if common.grad is not None else None
            optimizer.step()
        for common in self._parameters:
            common.grad = None

    def start_epoch(self) -> None:
        count = len(self.train_labels)
        self._position, self.loss_sums, self.hit_sums = 0, [0.0] * self._networks, [0.0] * self._networks
        self._order = torch.stack([torch.randperm(count, generator=generator) for generator in self._orders]).to(self.train_labels.device)

    def next_batch(self) -> tuple[Tensor, Tensor]:
        """The next images (B, n, d), and labels (B, n) or targets (B, n, out), each for S/B networks."""
        rows = len(self._orders)
        chosen = self._order[:, self._position : self._position + self._batch_size].flatten()
        self._position += self._batch_size
        images, labels = as_input(self.train_images.index_select(0, chosen)), self.train_labels.index_select(0, chosen)
        return images.view(rows, -1, images.shape[1]), labels.view(rows, -1, *labels.shape[1:])

    def right(self, logits: Tensor, labels: Tensor) -> list[float]:
        """How many labels (B, n), or (n,) for all, the logits (S, n, out) get right; NaN where there is no right and wrong."""
        if self._loss.scores is None:
            return [math.nan] * len(logits)
        if labels.ndim == 2:
            labels = labels.repeat_interleave(len(logits) // len(labels), dim=0)
        right: list[float] = (self._loss.scores(logits).argmax(dim=2) == labels).sum(dim=1).tolist()
        return right

    def count(self, losses: Sequence[float], hits: Sequence[float], images: int) -> None:
        """Add a step of every network to the epoch's sums."""
        self.loss_sums = [total + loss * images for total, loss in zip(self.loss_sums, losses, strict=True)]
        self.hit_sums = [total + right for total, right in zip(self.hit_sums, hits, strict=True)]

    @torch.no_grad()
    def test_piece(self, test: EvaluationInProgress) -> bool:
        """Show the networks the next images of the test set; all of them where an epoch ends, else the first alone."""
        if not test.ends_epoch:
            return super().test_piece(test)
        if test.seen == 0:
            self._tested = torch.zeros(2, self._networks, dtype=torch.float64)
        part = slice(test.seen, test.seen + self._test_piece)
        labels = self.test_labels[part]
        losses, logits = self.batched.test(as_input(self.test_images[part]), labels)
        self._tested += torch.tensor([(losses.double() * len(labels)).tolist(), self.right(logits, labels)], dtype=torch.float64)
        test.add(logits[0], labels)
        return test.seen == len(self.test_labels)

    def tested(self) -> tuple[list[float], list[float]]:
        """Test loss and accuracy of every network, after the last piece of the test that ends an epoch."""
        losses, accuracies = (self._tested / len(self.test_labels)).tolist()
        return losses, accuracies


def _moved(spec: RunSpec) -> tuple[object, ...]:
    """All that decides how a network's weights are moved."""
    return tuple(getattr(spec, name) for name in MOVING)
