"""What holds for every test: on a busy machine none fails for being slow, and in CI none is skipped.

A test that did not run must not look like one that passed. And one scheduler, for those that ask for it.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from typing import Any

import pytest
import torch
from hypothesis import settings

from mlp_core.jobs import Scheduler
from mlp_core.network import network as networks
from tests.support.failures import pytest_terminal_summary  # noqa: F401  (a hook)

torch.set_num_threads(1)  # two on tensors as small as these only wait for each other
settings.register_profile("patient", settings(), deadline=None)  # on top of the profile in force: Hypothesis has one of its own for CI
settings.load_profile("patient")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What drives a browser comes last: most of the time goes there, and most mistakes show in the seconds before."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        reason: Any = report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped, which counts as failed in CI: {reason[2] if isinstance(reason, tuple) else reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A whole file that skips itself, because an import is missing, say."""
    report = yield
    if os.environ.get("CI") and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} skipped, which counts as failed in CI: {report.longrepr}"
    return report


@pytest.fixture(scope="module")
def small_test_pieces() -> Iterator[None]:
    """A test of 30 images in five pieces, so that there is something to interrupt."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks, "TEST_PIECE_IMAGES", 7)
        yield


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    """A scheduler of this test's own, which leaves no thread behind."""
    scheduler = Scheduler()
    yield scheduler
    scheduler.close()
    assert len(scheduler._threads) == 0
