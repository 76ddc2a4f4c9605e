"""How much memory this process may still take, how little its libraries shall keep, and giving back. Allocates nothing."""

import ctypes
import functools
import os
from collections.abc import Callable
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
MEMINFO = Path("/proc/meminfo")
M_ARENA_MAX = -8  # as malloc.h has it
KERNELS = 128  # an eight-layer network trains and is tested with half of them; each is about 0.2 MB
ASSUMED_BYTES = 2_000_000_000  # where the system does not say: a small laptop's share


def available_bytes() -> int:
    """The least of what the machine has free and what a container's limit leaves."""
    return min([_of_machine(), *_of_container()])


@functools.cache
def share_heaps() -> None:
    """Have threads share two heaps. glibc makes up to eight a core, and each keeps what is freed in it; every run of a page is a thread."""
    _of_libc("mallopt")(M_ARENA_MAX, 2)


def keep_few_kernels() -> None:
    """Have oneDNN and PyTorch each keep `KERNELS` compiled matrix products, one a shape, instead of 1,024: of everything that visitors try.

    To be called before the first product, since both ask once. Another number in the environment is left as it is. One that was dropped
    is compiled again, in 0.4 ms. The names are oneDNN's and ideep's, the layer between the two.
    """
    for name in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
        os.environ.setdefault(name, str(KERNELS))


def give_back() -> None:
    """Hand freed memory to the operating system. glibc keeps it, scattered between what lives on; elsewhere nothing is done.

    Takes some tens of milliseconds, during which other threads go on.
    """
    _of_libc("malloc_trim")(0)


def _of_libc(name: str) -> Callable[..., object]:
    """A function of glibc; one that does nothing on another system, or with another C library."""
    try:
        found: Callable[..., object] = getattr(ctypes.CDLL(None), name)
    except (OSError, TypeError, AttributeError):
        return lambda *_: None
    return found


def _of_machine() -> int:
    try:
        lines = dict(line.split(":", 1) for line in MEMINFO.read_text().splitlines() if ":" in line)
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, OSError, ValueError):
        return ASSUMED_BYTES


def _of_container() -> list[int]:
    """What is left below the limit of a cgroup, version 2 or 1; nothing where there is no limit."""
    for limit, used in (("memory.max", "memory.current"), ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes")):
        try:
            return [max(0, int((CGROUP / limit).read_text()) - int((CGROUP / used).read_text()))]
        except (OSError, ValueError):  # "max" is no number: no limit
            continue
    return []
