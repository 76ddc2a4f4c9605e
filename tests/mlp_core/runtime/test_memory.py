"""How much memory is left: what the system's files say, the smaller of machine and container, and a guess where nobody says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlp_core.runtime import memory

MEMINFO = "MemTotal:        8000000 kB\nMemFree:          500000 kB\nMemAvailable:    3000000 kB\nHugePages_Total:       0\n"


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system with 3,072,000,000 bytes free, and no limit of a container."""
    (tmp_path / "meminfo").write_text(MEMINFO)
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    return tmp_path


def limit(system: Path, highest: str, used: str, *, version: int = 2) -> None:
    names = ("memory.max", "memory.current") if version == 2 else ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes")
    for name, text in zip(names, (highest, used), strict=True):
        (system / name).parent.mkdir(exist_ok=True)
        (system / name).write_text(f"{text}\n")


def test_a_machine_without_limits_has_what_is_available(system: Path) -> None:
    assert memory.available_bytes() == 3_000_000 * 1024


@pytest.mark.parametrize("version", [1, 2])
def test_a_container_has_what_its_limit_leaves(system: Path, version: int) -> None:
    limit(system, "1000000000", "400000000", version=version)
    assert memory.available_bytes() == 600_000_000


def test_a_limit_above_what_the_machine_has_adds_nothing(system: Path) -> None:
    limit(system, "64000000000", "1000")
    assert memory.available_bytes() == 3_000_000 * 1024


def test_a_container_that_is_over_its_limit_has_nothing(system: Path) -> None:
    limit(system, "1000", "2000")
    assert memory.available_bytes() == 0


def test_a_container_without_a_limit_is_no_container(system: Path) -> None:
    limit(system, "max", "2000")
    assert memory.available_bytes() == 3_000_000 * 1024


@pytest.mark.parametrize("text", ["", "MemTotal: 8 kB\n", "MemAvailable: unknown\n"])
def test_where_the_file_does_not_say_half_of_all_there_is_counts(system: Path, text: str) -> None:
    (system / "meminfo").write_text(text)
    assert memory.available_bytes() == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def test_where_nobody_says_a_small_laptop_is_assumed(system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (system / "meminfo").unlink()
    monkeypatch.delattr(os, "sysconf")
    assert memory.available_bytes() == memory.ASSUMED_BYTES


def test_this_machine_has_some() -> None:
    assert 0 < memory.available_bytes() < 2**50
