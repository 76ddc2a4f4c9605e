"""What the pages remember for everybody has an end: the largest answer of every cache, times the answers it keeps, has to fit."""

from __future__ import annotations

import importlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.runtime.caching.cache_type import CacheType
from streamlit.runtime.caching.cache_utils import CachedFunc

from mlp_core.labs.generalization.weight_decay import EDITION_BOUNDS, Setting
from mlp_core.spec import MAX_LAYERS, RunSpec
from pages.ui import computing
from pages.ui.generalization import decay
from pages.ui.stability import matrices, measures
from tests.support.shrinking import result_of

ROOT = Path(__file__).parents[2]
MEGABYTE = 1e6
ONE, ALL = 40 * MEGABYTE, 128 * MEGABYTE
DEEPEST = RunSpec(hidden=(4,) * MAX_LAYERS, activation="relu")

# Every function of a page that remembers -> the arguments with which its answer is largest.
LARGEST: dict[Any, tuple[Any, ...]] = {
    measures.critical_scales: ("gaussian", matrices.LARGEST_N),
    measures.depth_prediction: (DEEPEST, "gaussian", 4),
    measures.depth_report: (DEEPEST, "gaussian", 4, "float64"),
    measures.gradient_plane: ("relu", "depth", 0.0, 4),
    measures.histograms: (DEEPEST, "gaussian", 4),
    measures.literal: ("float32", 1, matrices.MOST_FACTORS, matrices.MOST_TRIALS),
    measures.map_axes: ("relu", "depth", 0.0),
    measures.snapshot: (2, matrices.LARGEST_N),
    measures.growth: (1, matrices.MOST_FACTORS, matrices.MOST_TRIALS, 0, "gaussian"),
    measures.singular_values: (matrices.LARGEST_N, tuple(range(1, matrices.SINGULAR_POINTS + 1))),
    decay._distances: ("adam", 3.0, Setting(epochs=decay.STEPS_EPOCHS, train_count=200), 0),
}


def bytes_of(remembers: Any, arguments: tuple[Any, ...]) -> int:
    answer: Callable[..., object] = remembers.__wrapped__
    return len(pickle.dumps(answer(*arguments))) * int(remembers._info.max_entries)


def test_every_cache_is_known_here() -> None:
    found = set[Any]()
    for path in (ROOT / "pages" / "ui").rglob("*.py"):
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        found |= {value for value in vars(module).values() if isinstance(value, CachedFunc) and value._info.cache_type is CacheType.DATA}
    assert found == set(LARGEST)


@pytest.mark.parametrize("remembers", LARGEST, ids=lambda remembers: str(remembers.__name__))
def test_one_cache_stays_small(remembers: Any) -> None:
    assert bytes_of(remembers, LARGEST[remembers]) < ONE


def test_results_that_were_computed_in_turns_stay_small() -> None:
    one, two = (len(pickle.dumps(result_of(decay._sweep(Setting(epochs=epochs, train_count=5), decay.DECAYS, 0)))) for epochs in (1, 2))
    longest = one + (two - one) * (EDITION_BOUNDS["epochs"].high - 1)
    assert longest * computing.KEPT < ONE


def test_together_they_stay_small() -> None:
    assert sum(bytes_of(remembers, arguments) for remembers, arguments in LARGEST.items()) < ALL
