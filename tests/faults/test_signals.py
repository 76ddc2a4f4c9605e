"""A server that is told to end while a long step is under way ends soon, and without a word of a crash."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from tests.bench.watching import fresh_server
from tests.faults.conftest import play
from tests.load.student import Student
from tests.support.browser.driving import ROOT

SLOW_STEPS = f"hidden={','.join(['512'] * 8)}&batch_size=4096&epochs=100&pace=full"  # half a second each, one after another
SECONDS = 30  # far more than a step; a process that hangs would wait for ever
CRASH = re.compile("terminate called|Fatal Python error|Traceback|core dumped|Segmentation")


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT], ids=lambda sent: str(sent.name))
def test_a_signal_in_mid_step_ends_the_server_without_a_crash(tmp_path: Path, sent: signal.Signals) -> None:
    with fresh_server(ROOT / "app.py", tmp_path) as (url, process):

        async def scene() -> None:
            async with Student(url) as student:
                await student.open("train", SLOW_STEPS)
                await student.press("run_play")
                await student.until(lambda: student.steps > 0, "the first step")
                process.send_signal(sent)

        play(scene())
        status = process.wait(SECONDS)
    said = "".join(log.read_text() for log in tmp_path.glob("*.log"))
    assert status in (0, 1, -sent), f"ended by {status}: {said[-2000:]}"  # 1 is what the command line makes of Ctrl-C
    assert not CRASH.search(said), said[-2000:]
