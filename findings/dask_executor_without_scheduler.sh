#!/usr/bin/env bash
# distributed 2026.8.0 (dask 2026.8.0), Python 3.11.
#
# When the scheduler of a Dask cluster dies, what was submitted to `Client.get_executor()` before is cancelled at once, so one would expect
# what is submitted from then on to fail as well. It does not: its future stays pending and raises nothing, for as long as one waits, and
# nothing but `Client.status` tells, which says "connecting". A loop that submits the next task whenever one ends, as with any executor of
# concurrent.futures, therefore waits for ever for the first task that it submits too late.
#
# Output seen:
#   submitted before the scheduler died: CancelledError
#   submitted after it died: pending after 60 s, the client is connecting
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check distributed==2026.8.0 dask==2026.8.0
cd "$folder"
cat > finding.py <<'PYTHON'
import subprocess
import sys
import time
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as StillPending

from distributed import Client

SECONDS = 60


def started(program, *options):
    command = [sys.executable, "-m", f"distributed.cli.{program}", "--scheduler-file", "scheduler.json", "--no-dashboard", *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def outcome(future):
    try:
        return f"a result, {future.result(timeout=SECONDS)}"
    except CancelledError:
        return "CancelledError"
    except StillPending:
        return f"pending after {SECONDS} s"


scheduler = started("dask_scheduler", "--host", "127.0.0.1", "--port", "0")
worker = started("dask_worker", "--nthreads", "1", "--no-nanny")
try:
    client = Client(scheduler_file="scheduler.json", timeout=60)
    client.wait_for_workers(1, timeout=60)
    executor = client.get_executor()
    assert executor.submit(abs, -1).result(timeout=SECONDS) == 1
    early = executor.submit(time.sleep, 600)
    scheduler.kill()
    scheduler.wait()
    before = outcome(early)
    after = f"{outcome(executor.submit(abs, -1))}, the client is {client.status}"
finally:
    for process in (worker, scheduler):
        process.kill()
print(f"submitted before the scheduler died: {before}", flush=True)
print(f"submitted after it died: {after}", flush=True)
assert before == "CancelledError"
assert after == f"pending after {SECONDS} s, the client is connecting"
PYTHON
timeout 300 "$folder/venv/bin/python" finding.py 2>log.txt || { tail -5 log.txt >&2; exit 1; }
