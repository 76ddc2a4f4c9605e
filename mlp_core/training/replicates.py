"""`Replicates`: one design trained from several seeds at once, so that one lucky run does not mislead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from mlp_core.activations import Activation
from mlp_core.data import Dataset
from mlp_core.losses import CROSS_ENTROPY, Loss
from mlp_core.network import NETWORKS, Network, generator_for
from mlp_core.network.batched import Batched
from mlp_core.network.network import images_per_piece
from mlp_core.optimizers import Optimizer
from mlp_core.records import EpochRecord, History, HistorySnapshot, SettingChange, StepRecord
from mlp_core.spec import MAX_SEED, RunSpec, SpecError
from mlp_core.training import ends
from mlp_core.training.checkpoints import Checkpoints
from mlp_core.training.run import Run
from mlp_core.training.state import Evaluation, EvaluationInProgress, TrainingState, as_input
from mlp_core.words import Message

DEFAULT_SEEDS = 5


class Replicates(Run):
    """An experiment carried out from several seeds at once: its spec's own and the next ones. Each is, to rounding, the run of its seed.

    What a run has one of (`network`, `history`, `evaluation`, `inspections`) is here the first seed's; `members` are all histories. Only
    the first seed's layers are measured, and nothing is kept to go back to.

    A seed whose loss is not finite ends where it broke, as it would alone, and the others go on; the whole diverges when all have.

    Args:
        spec, data, loss, changes: as of a `Run`.
        seeds: how many.

    Raises:
        SpecError: the last seed would be too large, or a step of so many networks; and what a `Run` raises.
    """

    def __init__(
        self, spec: RunSpec, data: Dataset, loss: Loss = CROSS_ENTROPY, changes: Sequence[SettingChange] = (), seeds: int = DEFAULT_SEEDS
    ) -> None:
        self.networks = seeds
        super().__init__(spec, data, loss, changes)
        if spec.seed > MAX_SEED - seeds + 1:
            rule = Message("must be at most {most}, to be the first of {seeds}", most=MAX_SEED - seeds + 1, seeds=seeds)
            raise SpecError("seed", rule, spec.seed)
        self.seeds = tuple(range(spec.seed, spec.seed + seeds))
        self.replicas: tuple[Network, ...] = ()  # every seed's network, once built
        self.checkpoints = Checkpoints()
        self._histories = [self.history, *(History() for _ in self.seeds[1:])]
        self._diverged: dict[int, int] = {}  # index of a seed -> the step at which it broke

    @property
    def members(self) -> tuple[HistorySnapshot, ...]:
        """The history of every seed."""
        changes, knots = tuple(self.history.changes), self.history.knots  # of all seeds
        snapshots = [replace(history.snapshot(), changes=changes, knots=knots) for history in self._histories]
        for index, step in self._diverged.items():
            snapshots[index] = snapshots[index].until(step)
        return tuple(snapshots)

    @property
    def epoch(self) -> int:
        return max(len(history.epochs) for history in self._histories)

    @property
    def images_seen(self) -> int:
        """Training images used so far, those of all seeds together."""
        return self.networks * super().images_seen

    @property
    def tested(self) -> bool:
        return super().tested or 0 in self._diverged

    def abandon(self) -> None:
        super().abandon()
        self.replicas = ()

    @property
    def _going(self) -> list[int]:
        """Indices of the seeds that go on."""
        return [index for index in range(self.networks) if index not in self._diverged]

    def _new_state(self) -> ReplicatesState:
        state = ReplicatesState(self.spec, self.data, self.loss, self.sizes, self.device, self.seeds, self.activation)
        self.replicas = state.batched.networks
        return state

    def _train_step(self, state: TrainingState) -> None:
        assert isinstance(state, ReplicatesState)
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
        state.optimizer.step()
        state.count(values, hits, n)
        self._after_step(state)

    def _end_epoch(self, state: TrainingState, evaluation: Evaluation) -> None:
        assert isinstance(state, ReplicatesState)
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

    def _end_broken(self, state: ReplicatesState, values: Sequence[float], *, tested: bool) -> None:
        """End every seed whose value is not finite; its network stays as it is."""
        for index in self._going:
            if not math.isfinite(values[index]):
                state.batched.release(index)
                with self.lock:
                    self._diverged[index] = self.step
        if not self._going:
            self.stop("diverged", ends.all_diverged(self.step, self.networks, tested=tested))

    def _completed(self) -> str:
        return ends.completed(self.spec.epochs, len(self._diverged), self.networks)


class ReplicatesState(TrainingState):
    """The training state of S seeds; what it has of one network (`network`, `measure`, `inspect`) is of the first seed.

    Every seed draws its weights, its order of the images and its dropout masks as it would alone.

    Args:
        spec, data, loss, sizes, device, activation: as of a `TrainingState`.
        seeds: one a network.

    Attributes:
        batched: all networks; `optimizer` is theirs.
        loss_sums, hit_sums: of every seed's images so far in this epoch.
    """

    def __init__(
        self,
        spec: RunSpec,
        data: Dataset,
        loss: Loss,
        sizes: tuple[int, ...],
        device: torch.device,
        seeds: Sequence[int],
        activation: Activation | None = None,
    ) -> None:
        specs = [replace(spec, seed=seed) for seed in seeds]
        self._orders = [generator_for(one, "order") for one in specs]  # before the first epoch, which the base class begins
        super().__init__(specs[0], data, loss, sizes, device, activation)
        others = [NETWORKS[one.implementation](one, sizes, device, loss=loss, activation=activation) for one in specs[1:]]
        self.batched = Batched([self.network, *others], spec, loss, [generator_for(one, "dropout", device) for one in specs])
        self.optimizer = Optimizer(spec, self.batched.parameters())
        self._loss = loss
        self._test_piece = images_per_piece(sizes, self.network.activation, len(seeds))

    def follow(self, settings: RunSpec) -> None:
        super().follow(settings)
        self.batched.set_dropout(settings.dropout)

    def start_epoch(self) -> None:
        seeds, count = len(self._orders), len(self.train_labels)
        self._position, self.loss_sums, self.hit_sums = 0, [0.0] * seeds, [0.0] * seeds
        self._order = torch.stack([torch.randperm(count, generator=generator) for generator in self._orders]).to(self.train_labels.device)

    def next_batch(self) -> tuple[Tensor, Tensor]:
        """Every seed's next images (S, n, d), and labels (S, n) or targets (S, n, out)."""
        seeds = len(self._orders)
        chosen = self._order[:, self._position : self._position + self._batch_size].flatten()
        self._position += self._batch_size
        images, labels = as_input(self.train_images.index_select(0, chosen)), self.train_labels.index_select(0, chosen)
        return images.view(seeds, -1, images.shape[1]), labels.view(seeds, -1, *labels.shape[1:])

    def right(self, logits: Tensor, labels: Tensor) -> list[float]:
        """How many labels (S, n) the logits (S, n, out) of every seed get right; NaN where there is no right and wrong."""
        if self._loss.scores is None:
            return [math.nan] * len(logits)
        right: list[float] = (self._loss.scores(logits).argmax(dim=2) == labels).sum(dim=1).tolist()
        return right

    def count(self, losses: Sequence[float], hits: Sequence[float], images: int) -> None:
        """Add a step of every seed to the epoch's sums."""
        self.loss_sums = [total + loss * images for total, loss in zip(self.loss_sums, losses, strict=True)]
        self.hit_sums = [total + right for total, right in zip(self.hit_sums, hits, strict=True)]

    @torch.no_grad()
    def test_piece(self, test: EvaluationInProgress) -> bool:
        """Show the networks the next images of the test set; all of them where an epoch ends, else that of the first seed alone."""
        if not test.ends_epoch:
            return super().test_piece(test)
        if test.seen == 0:
            self._tested = torch.zeros(2, len(self._orders), dtype=torch.float64)
        part = slice(test.seen, test.seen + self._test_piece)
        labels = self.test_labels[part]
        losses, logits = self.batched.test(as_input(self.test_images[part]), labels)
        self._tested += torch.tensor([(losses.double() * len(labels)).tolist(), self.right(logits, labels)], dtype=torch.float64)
        test.add(logits[0], labels)
        return test.seen == len(self.test_labels)

    def tested(self) -> tuple[list[float], list[float]]:
        """Test loss and accuracy of every seed, after the last piece of the test that ends an epoch."""
        losses, accuracies = (self._tested / len(self.test_labels)).tolist()
        return losses, accuracies
