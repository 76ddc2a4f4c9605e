"""A verdict, the case that it is passed on, and where the numbers inside a network usually lie while it learns.

Measured means: Fashion-MNIST, steps 100 to 700 of d2l's network, of five layers of 64 units (ReLU or GELU with He, tanh with Xavier), of
d2l's dropout network, of one sigmoid layer, and of d2l's network under Adam; rounded outward.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mlp_core.records import EpochRecord, HistorySnapshot, LayerStats, settings_after
from mlp_core.reports.diagnosis.fixes import Fix
from mlp_core.spec import RunSpec
from mlp_core.training.inspection import Inspection
from mlp_core.words import Message, fixed, percent

Range = tuple[float, float]  # both ends included

MEAN: Range = (-0.5, 2.0)  # of a hidden layer's outputs; measured: -0.03 to 1.6
STD: Range = (0.1, 2.0)  # of a hidden layer's outputs; measured: 0.12 to 1.7. In front of a sigmoid that saturates it is larger
FLAT: Range = (0.0, 0.2)  # share of a hidden layer's units that are dead, or of its outputs that are saturated; measured: up to 0.18
GRADIENT: Range = (1e-2, 10.0)  # norm |dL/dW| of any layer; measured: 0.11 to 2.5. Once a loss is nearly 0, so are its gradients
# |W_after - W_before| / |W_before| of a step. Karpathy (makemore, part 3): about 10^-3, and far below it the lr is too low. Measured:
# 1.2e-3 to 0.11, while networks that stand still with an lr of 0.001 take 1e-4 to 2e-4.
UPDATE: Range = (10**-3.5, 0.1)
UPDATE_RULE = 1e-3  # Karpathy's rule of thumb


RECENT_STEPS = 20  # what is shown as the training loss and accuracy of now is a mean over so many
RECENT_IMAGES = 1000  # what is concluded from is a mean over so many images at least: smaller batches are too noisy


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run is doing.

    `kind` is "waiting", "early", "short", "learning", "learned", "overfitting", "unstable", "symmetric", "stuck", "slow", "held_back",
    "saturated", "vanishing", "dead", "collapsed", "diverged" or "failed". `sentence` says it, `evidence` gives the number it rests on,
    `advice` what to try next; `fix` is the first such thing as an experiment, None where there is none to try.
    """

    kind: str
    sentence: str
    evidence: str = ""
    advice: str = ""
    fix: Fix | None = None

    @property
    def is_fault(self) -> bool:
        return self.kind not in ("waiting", "early", "short", "learning", "learned")


@dataclass(frozen=True, slots=True)
class Case:
    """A run at one moment. `inspections` are in the order of their steps; there may be none, since somebody has to look."""

    spec: RunSpec
    history: HistorySnapshot
    inspections: Sequence[Inspection] = ()

    @property
    def settings(self) -> RunSpec:
        """The experiment with what was changed on the way."""
        return replace(self.spec, **settings_after(self.history.changes))

    @property
    def tested(self) -> EpochRecord | None:
        """The epoch that has just ended; None in the middle of one."""
        epochs = self.history.epochs
        return epochs[-1] if epochs and epochs[-1].step == self.history.steps[-1] else None

    @property
    def accuracy(self) -> float:
        """Of the test images where an epoch has just ended, else of the training images of the last steps."""
        return self.tested.test_accuracy if self.tested else self.history.recent(self.window).accuracy

    @property
    def loss(self) -> float:
        """Mean training loss of the last steps."""
        return self.history.recent(self.window).loss

    @property
    def window(self) -> int:
        """Steps that what is concluded from is a mean over."""
        return max(RECENT_STEPS, math.ceil(RECENT_IMAGES / self.settings.batch_size))

    @property
    def shown_accuracy(self) -> str:
        """The accuracy as the page's tiles show it."""
        if self.tested:
            return Message("{share} of the test images", share=percent(self.tested.test_accuracy))
        return Message("{share} of the training images", share=percent(self.history.recent(RECENT_STEPS).accuracy))

    @property
    def shown_loss(self) -> str:
        """The training loss as the page's tiles show it."""
        return shown(self.history.recent(RECENT_STEPS).loss)

    @property
    def start(self) -> Sequence[LayerStats]:
        """All layers before the first step, the output layer last; none where nothing was measured."""
        probes = self.history.probes
        return probes[0].layers if probes else ()

    @property
    def layers(self) -> Sequence[LayerStats]:
        """All layers as they were last measured, by a probe or by somebody who looked."""
        probes, looks = self.history.probes, self.inspections
        if looks and (not probes or looks[-1].step >= probes[-1].step):
            return [layer.stats for layer in looks[-1].layers]
        return probes[-1].layers if probes else ()


def shown(loss: float) -> str:
    """A loss as it is shown everywhere."""
    return fixed(loss, 4)
