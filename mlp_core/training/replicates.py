"""`Replicates`: one design trained from several seeds at once, so that one lucky run does not mislead. It knows no thread and no screen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from mlp_core.data import Dataset
from mlp_core.losses import CROSS_ENTROPY, Loss
from mlp_core.network.concise import Network
from mlp_core.records import EpochRecord, History, HistorySnapshot, StepRecord, StopReason
from mlp_core.spec import MAX_SEED, MAX_STEP_FLOPS, RunSpec, SpecError, step_flops, weight_count
from mlp_core.training import Run
from mlp_core.training.checkpoints import Checkpoints
from mlp_core.training.evaluation import Evaluation, EvaluationInProgress
from mlp_core.training.run import PROBED_EPOCHS, PROBED_STEPS
from mlp_core.training.several_seeds import SeveralSeeds
from mlp_core.training.workbench import Workbench

SEEDS = 5


class Replicates(Run):
    """An experiment carried out from several seeds at once: its spec's own and the next ones. Each is, to rounding, the run of its seed.

    What a run has one of (`network`, `history`, `evaluation`, `inspections`) is here the first seed's; `members` are all histories. Only
    the first seed's layers are measured, and nothing is kept to go back to.

    A seed whose loss is not finite ends where it broke, as it would alone, and the others go on; the whole diverges when all have.

    Args:
        spec, data, loss: as of a `Run`.
        seeds: how many.

    Raises:
        SpecError: the last seed would be too large, or a step of so many networks; and what a `Run` raises.
    """

    def __init__(self, spec: RunSpec, data: Dataset, loss: Loss = CROSS_ENTROPY, seeds: int = SEEDS) -> None:
        super().__init__(spec, data, loss)
        _check(spec, self.sizes, seeds)
        self.networks = seeds
        self.seeds = tuple(range(spec.seed, spec.seed + seeds))
        self.checkpoints = Checkpoints()
        self._histories = [self.history, *(History() for _ in self.seeds[1:])]
        self._ended: dict[int, StopReason] = {}  # of seeds that ended before the whole, by index
        self.replicas: tuple[Network, ...] = ()  # every seed's network, once built

    @property
    def members(self) -> tuple[HistorySnapshot, ...]:
        """The history of every seed."""
        changes = tuple(self.history.lr_changes)  # of all seeds
        snapshots = [replace(history.snapshot(), lr_changes=changes) for history in self._histories]
        for index, reason in self._ended.items():
            snapshots[index] = snapshots[index].until(reason.step)
        return tuple(snapshots)

    @property
    def stop_reasons(self) -> tuple[StopReason | None, ...]:
        """Why each seed ended; None while it goes on."""
        return tuple(self._ended.get(index, self.stop_reason) for index in range(self.networks))

    @property
    def epoch(self) -> int:
        return max(len(history.epochs) for history in self._histories)

    @property
    def images_seen(self) -> int:
        """Training images used so far, those of all seeds together."""
        return self.networks * super().images_seen

    @property
    def tested(self) -> bool:
        return super().tested or 0 in self._ended

    @property
    def _going(self) -> list[int]:
        """Indices of the seeds that go on."""
        return [index for index in range(self.networks) if index not in self._ended]

    def abandon(self) -> None:
        super().abandon()
        self.replicas = ()

    def _new_bench(self) -> SeveralSeeds:
        bench = SeveralSeeds(self.spec, self.data, self.loss, self.sizes, self.device, self.seeds)
        self.replicas = bench.batched.networks
        return bench

    def _train_step(self, bench: Workbench) -> None:
        assert isinstance(bench, SeveralSeeds)
        images, labels = bench.next_batch()
        losses, logits = bench.batched.loss(images, labels)
        values, hits, n = losses.tolist(), bench.right(logits, labels), labels.shape[1]
        with self.lock:
            self.step += 1
            for index in self._going:
                self._histories[index].steps.append(StepRecord(self.step, values[index], hits[index] / n))
        self._end_broken(bench, "loss", values)
        if self.finished:
            return
        bench.batched.backward(losses)
        bench.optimizer.step()
        bench.count(values, hits, n)
        if self.step % self.steps_per_epoch == 0:
            self._test = EvaluationInProgress(self.step, ends_epoch=True, loss=self.loss)
        elif self.step in PROBED_STEPS:
            self._probe(bench)

    def _end_epoch(self, bench: Workbench, evaluation: Evaluation) -> None:
        assert isinstance(bench, SeveralSeeds)
        epoch, count, going = self.epoch + 1, self.train_count, self._going
        test_losses, test_accuracies = bench.tested()
        trained = zip(bench.loss_sums, bench.hit_sums, test_losses, test_accuracies, strict=True)
        records = [EpochRecord(epoch, self.step, loss / count, hits / count, *tested) for loss, hits, *tested in trained]
        bench.start_epoch()
        if epoch % math.ceil(self.spec.epochs / PROBED_EPOCHS) == 0 or self.step in PROBED_STEPS:
            self._probe(bench)
        with self.lock:
            if 0 in going:
                self.evaluation = evaluation
            for index in going:
                self._histories[index].epochs.append(records[index])
        self._end_broken(bench, "test loss", test_losses)
        if self.step == self.total_steps and not self.finished:
            if self.inspections.lacks(self.step):
                self._inspect(bench)
            self.stop("completed", self._completed())

    def _probe(self, bench: Workbench) -> None:
        if 0 not in self._ended:
            super()._probe(bench)

    def _end_broken(self, bench: SeveralSeeds, what: str, values: Sequence[float]) -> None:
        """End every seed whose value is not finite; its network stays as it is."""
        for index in self._going:
            if not math.isfinite(values[index]):
                bench.batched.release(index)
                detail = f"Seed {self.seeds[index]} diverged at step {self.step}: its {what} is not finite."
                with self.lock:
                    self._ended[index] = StopReason("diverged", self.step, detail)
        if not self._going:
            self.stop("diverged", f"All {self.networks} seeds diverged, the last at step {self.step}: the {what} is not finite.")

    def _completed(self) -> str:
        epochs = f"{self.spec.epochs} epoch{'s' if self.spec.epochs > 1 else ''}"
        return f"Completed {epochs}" + (f"; {len(self._ended)} of {self.networks} seeds diverged before." if self._ended else ".")


def _check(spec: RunSpec, sizes: tuple[int, ...], seeds: int) -> None:
    if spec.seed > MAX_SEED - seeds + 1:
        raise SpecError("seed", f"must be at most {MAX_SEED - seeds + 1}, to be the first of {seeds}", spec.seed)
    most = MAX_STEP_FLOPS // (seeds * step_flops(sizes, 1))
    if spec.batch_size > most:
        rule = f"must be at most {most} for {seeds} networks of {weight_count(sizes):,} parameters, so that one step stays near a second"
        raise SpecError("batch_size", rule, spec.batch_size)
