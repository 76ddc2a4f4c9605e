"""Memory that was freed goes back to the operating system: by glibc's own hand, and when a job has been given up. And little is kept."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys

import pytest
import torch

from mlp_core.jobs import scheduler
from mlp_core.jobs.scheduler import Scheduler
from mlp_core.runtime import memory
from tests.support.clockwork import Clockwork
from tests.support.engine import until


class Abandoned(Clockwork):
    """A job that rests, and is given up the moment it is looked after."""

    parked = True

    def expire(self) -> bool:
        given_up, self.parked = self.parked, False
        return given_up


@pytest.fixture
def returned(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Grows by one whenever a scheduler gives memory back."""
    calls: list[None] = []
    monkeypatch.setattr(scheduler, "IDLE_SECONDS", 0.02)
    monkeypatch.setattr(scheduler, "give_back", lambda: calls.append(None))
    return calls


SCATTERED = """
import psutil
from mlp_core.runtime import memory
resident = lambda: psutil.Process().memory_info().rss
before = resident()
pieces = [bytearray(50_000) for _ in range(4000)]  # each too small for a mapping of its own
pinned = pieces[::40]  # what lives on between them keeps them in the process
held = resident()
del pieces
memory.give_back()
print(held - before, resident() - before)
"""


def test_freed_memory_leaves_the_process() -> None:
    said = subprocess.run([sys.executable, "-c", SCATTERED], capture_output=True, text=True, check=True).stdout
    held, left = map(int, said.split())
    assert held > 150_000_000
    if platform.libc_ver()[0] == "glibc":
        assert left < 0.3 * held


@pytest.mark.parametrize("broken", [OSError, TypeError, AttributeError])
def test_where_that_cannot_be_nothing_happens(monkeypatch: pytest.MonkeyPatch, broken: type[Exception]) -> None:
    def library(name: None) -> None:
        raise broken

    monkeypatch.setattr(ctypes, "CDLL", library)
    memory.give_back()
    memory.share_heaps()


HEAPS = """
import ctypes, sys, threading
from mlp_core.runtime import memory
if sys.argv[1] == "shared":
    memory.share_heaps()
together = threading.Barrier(16)
def work():
    together.wait()  # all at once, so that each would be given a heap of its own
    pieces = [bytes(10_000) for _ in range(100)]
    together.wait()
threads = [threading.Thread(target=work) for _ in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
library = ctypes.CDLL(None)
library.malloc_info(0, ctypes.c_void_p.in_dll(library, "stdout"))
library.fflush(None)
"""


def test_threads_share_their_heaps() -> None:
    if platform.libc_ver()[0] != "glibc":
        memory.share_heaps()
        return

    def heaps(how: str) -> int:
        return subprocess.run([sys.executable, "-c", HEAPS, how], capture_output=True, text=True, check=True).stdout.count("<heap nr=")

    assert heaps("shared") == 2 < heaps("as they are")


KERNELS = 16  # instead of the 128 that are kept elsewhere
MULTIPLIED = f"""
import torch
from mlp_core.runtime import memory
memory.KERNELS = {KERNELS}
memory.keep_few_kernels()
torch.backends.mkldnn.matmul.fp32_precision = "bf16"  # oneDNN, please
for first, shapes in ((100, memory.KERNELS // 2), (200, 2 * memory.KERNELS)):
    for _ in range(2):
        for width in range(first, first + shapes):
            torch.ones(64, 784) @ torch.ones(784, width)
    print("that was it", flush=True)
"""


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="oneDNN is not part of this build")  # type: ignore[no-untyped-call]
def test_few_compiled_products_are_kept() -> None:
    """By oneDNN's own report of what it compiles, where every shape is multiplied twice.

    Without AVX-512 PyTorch multiplies by its default library, whatever it is told, and nothing is compiled.
    """
    environment = {name: value for name, value in os.environ.items() if not name.endswith("CACHE_CAPACITY")} | {"ONEDNN_VERBOSE": "2"}
    said = subprocess.run([sys.executable, "-c", MULTIPLIED], capture_output=True, text=True, check=True, env=environment).stdout
    half, twice, _ = (part.count("create:cache_miss") for part in said.split("that was it"))
    # The capacity is enough for the first shapes; of the others, each was dropped before it came again.
    assert (half, twice) in ((KERNELS // 2, 4 * KERNELS), (0, 0))


def test_a_number_in_the_environment_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"LRU_CACHE_CAPACITY": "7"})
    memory.keep_few_kernels()
    assert os.environ == {"LRU_CACHE_CAPACITY": "7", "ONEDNN_PRIMITIVE_CACHE_CAPACITY": str(memory.KERNELS)}


def test_a_job_that_was_given_up_gives_its_memory_back(returned: list[None]) -> None:
    one = Scheduler()
    one.keep(Abandoned("left", 1.0, 0, []))
    until(lambda: len(one._threads) == 0)
    until(lambda: len(returned) == 1)


def test_a_job_that_ends_by_itself_does_not(returned: list[None]) -> None:
    one = Scheduler()
    one.keep(Clockwork("done", 1.0, 3, []))
    until(lambda: len(one._threads) == 0)
    one.close()
    assert returned == []


def test_while_others_train_it_is_done_now_and_then(returned: list[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty students who leave one after the other cost the others one interruption and not thirty."""
    monkeypatch.setattr(scheduler, "TIDY_SECONDS", 1000.0)
    order: list[str] = []
    one = Scheduler()

    def leave() -> None:
        one.keep(Abandoned("left", 1.0, 0, order))

    one.keep(Clockwork("trains", 1.0, 50, order, leave))
    until(lambda: len(one._threads) == 0)
    until(lambda: len(returned) == 2)  # the first at once, the rest at the end
