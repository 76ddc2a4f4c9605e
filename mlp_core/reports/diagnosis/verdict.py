"""A verdict, the case that it is passed on, and where the numbers inside a network usually lie while it learns.

Measured means: Fashion-MNIST, steps 100 to 700 of d2l's network, of five layers of 64 units (ReLU or GELU with He, tanh with Xavier), of
d2l's dropout network, of one sigmoid layer, and of d2l's network under Adam; rounded outward.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mlp_core.records import HistorySnapshot, LayerStats, settings_after
from mlp_core.reports.diagnosis.fixes import Fix
from mlp_core.spec import RunSpec
from mlp_core.training.inspection import Inspection

Range = tuple[float, float]  # both ends included

MEAN: Range = (-0.5, 2.0)  # of a hidden layer's outputs; measured: -0.03 to 1.6
STD: Range = (0.1, 2.0)  # of a hidden layer's outputs; measured: 0.12 to 1.7. In front of a sigmoid that saturates it is larger
FLAT: Range = (0.0, 0.2)  # share of a hidden layer's units that are dead, or of its outputs that are saturated; measured: up to 0.18
GRADIENT: Range = (1e-2, 10.0)  # norm |dL/dW| of any layer; measured: 0.11 to 2.5. Once a loss is nearly 0, so are its gradients
# |W_after - W_before| / |W_before| of a step. Karpathy (makemore, part 3): about 10^-3, and far below it the lr is too low. Measured:
# 1.2e-3 to 0.11, while networks that stand still with an lr of 0.001 take 1e-4 to 2e-4.
UPDATE: Range = (10**-3.5, 0.1)
UPDATE_RULE = 1e-3  # Karpathy's rule of thumb


RECENT_STEPS = 50


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run is doing.

    `kind` is "waiting", "early", "learning", "learned", "overfitting", "unstable", "symmetric", "stuck", "slow", "saturated", "vanishing",
    "dead", "collapsed", "diverged" or "failed". `sentence` says it, `evidence` gives the number it rests on, `advice` what to try next;
    `fix` is the first such thing as an experiment, None where there is none to try.
    """

    kind: str
    sentence: str
    evidence: str = ""
    advice: str = ""
    fix: Fix | None = None

    @property
    def is_fault(self) -> bool:
        return self.kind not in ("waiting", "early", "learning", "learned")


@dataclass(frozen=True, slots=True)
class Case:
    """A run at one moment. `inspections` are in the order of their steps; there may be none, since somebody has to look."""

    spec: RunSpec
    history: HistorySnapshot
    inspections: Sequence[Inspection] = ()

    @property
    def lr(self) -> float:
        """The learning rate in force."""
        return replace(self.spec, **settings_after(self.history.changes)).lr

    @property
    def accuracy(self) -> float:
        """Mean over the last `RECENT_STEPS` steps."""
        recent = self.history.accuracies[-RECENT_STEPS:]
        return sum(recent) / len(recent)

    @property
    def loss(self) -> float:
        """Mean over the last `RECENT_STEPS` steps."""
        recent = self.history.losses[-RECENT_STEPS:]
        return sum(recent) / len(recent)

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


def joined(*sentences: str) -> str:
    """Those that say something, one after the other."""
    return " ".join(sentence for sentence in sentences if sentence)
