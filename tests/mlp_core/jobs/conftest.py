"""What the tests of the scheduler share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mlp_core.jobs import scheduler


@pytest.fixture(scope="module")
def impatient_workers() -> Iterator[None]:
    """Workers end soon after there is nothing left to do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scheduler, "IDLE_SECONDS", 0.02)
        yield
