"""Both stores of classes for one suite of tests: the memory of the process, and a Redis server of the test's own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis

from mlp_core.labs.classes.memory_store import MemoryStore
from mlp_core.labs.classes.redis_store import RedisStore
from mlp_core.labs.classes.store import ClassStore


@dataclass
class Clock:
    """Seconds that pass when a test says so."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


class RedisServer:
    """A redis-server that keeps nothing on the disk."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip("redis-server is not installed")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"redis://127.0.0.1:{self.port}/0"
        self.client = redis.Redis(port=self.port)
        self._command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        for _ in range(400):
            try:
                self.client.ping()
            except redis.exceptions.ConnectionError:
                time.sleep(0.025)
            else:
                return
        raise RuntimeError("redis-server does not answer")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def let_pass(self, seconds: float) -> None:
        """Take time from everything that expires."""
        for key in self.client.scan_iter():
            left = self.client.pttl(key)
            if left >= 0 and not self.client.pexpire(key, round(left - seconds * 1000)):
                raise RuntimeError(f"{key!r} is gone")


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    server = RedisServer(folder)
    yield server
    server.stop()


@dataclass
class Place:
    """A store whose time passes when a test says so."""

    store: ClassStore
    server: RedisServer | None = None
    clock: Clock = field(default_factory=Clock)

    def let_pass(self, seconds: float) -> None:
        self.clock.now += seconds
        if self.server is not None:
            self.server.let_pass(seconds)

    @property
    def weighs_nothing(self) -> bool:
        """Whether there is no class left, and nothing of one."""
        if self.server is not None:
            return not list(self.server.client.scan_iter("mlp:class:*"))
        assert isinstance(self.store, MemoryStore)
        return not self.store._open


def place_in_memory() -> Place:
    clock = Clock()
    return Place(MemoryStore(clock), clock=clock)


def place_in_redis(server: RedisServer) -> Place:
    server.client.flushall()
    clock = Clock()
    return Place(RedisStore(server.address, clock), server, clock)
