"""Classes in a Redis server, for deployments with several replicas: all of them see the same votes.

A class is four hashes: its state and version, and one for each table. They expire together, by Redis's own clock. A class of 200 in a
lesson of ten steps, all voted on twice and with results of ten values, weighs 1.0 MB there (Redis 7, `used_memory`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, get_args

from mlp_core.labs.classes.classroom import LIFETIME_SECONDS, ClassError
from mlp_core.labs.classes.store import ANY, ClassStoreError, Stored, Table, Written
from mlp_core.words import Message

TIMEOUT_SECONDS = 1.0
PAUSE_SECONDS = 2.0  # after a failure nobody waits for the server: a class that asks would hold up all other pages
CONNECTIONS = 16

_PREFIX = "mlp:"
_CODES = f"{_PREFIX}classes"

# Redis runs a script as one operation. A row is given the time that its class has left.
_CREATE = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 'taken' end
if redis.call('SCARD', KEYS[2]) >= tonumber(ARGV[4]) then return 'full' end
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('HSET', KEYS[1], 'state', ARGV[2], 'version', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 'done'
"""
_CHANGE = """
if redis.call('HGET', KEYS[1], 'state') ~= ARGV[1] then return 'changed' end
redis.call('HSET', KEYS[1], 'state', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'version', 1)
return 'done'
"""
_PUT = """
if redis.call('HGET', KEYS[1], 'state') ~= ARGV[1] then return 'changed' end
if redis.call('HLEN', KEYS[2]) + 1 - redis.call('HEXISTS', KEYS[2], ARGV[2]) > tonumber(ARGV[4]) then return 'full' end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[2], redis.call('PTTL', KEYS[1]))
redis.call('HINCRBY', KEYS[1], 'version', 1)
return 'done'
"""
_COUNT = """
local value = tonumber(redis.call('GET', KEYS[1]) or 0) + tonumber(ARGV[1])
if value <= 0 then redis.call('DEL', KEYS[1])
elseif redis.call('EXISTS', KEYS[1]) == 1 then redis.call('INCRBY', KEYS[1], ARGV[1])
else redis.call('SET', KEYS[1], value, 'EX', ARGV[2]) end
return value
"""


class RedisStore:
    """A `ClassStore` that outlives its process and is shared by all that name the same server.

    Args:
        address: redis://host:port/number, or what else redis-py reads: rediss:// with TLS, unix:// for a socket.
        clock: seconds that only grow; for the pause after a failure alone.

    Raises:
        ClassError: another address.
        ClassStoreError: the package redis is not installed.
    """

    def __init__(self, address: str, clock: Callable[[], float] = time.monotonic) -> None:
        try:
            import redis  # noqa: PLC0415
            from redis.backoff import NoBackoff  # noqa: PLC0415
            from redis.retry import Retry  # noqa: PLC0415
        except ImportError as error:
            raise ClassStoreError(Message("The class store needs a package: pip install -r requirements-redis.txt.")) from error
        try:
            pool: Any = redis.BlockingConnectionPool.from_url(
                address,
                max_connections=CONNECTIONS,
                timeout=TIMEOUT_SECONDS,
                socket_timeout=TIMEOUT_SECONDS,
                socket_connect_timeout=TIMEOUT_SECONDS,
                retry=Retry(NoBackoff(), 1),  # a connection from before a restart of the server is made anew
            )
        except ValueError:
            scheme = address.partition("://")[0] if "://" in address else "none"  # the rest may hold a password
            raise ClassError("MLP_CLASS_STORE", "must be an address that begins with redis://, rediss:// or unix://", scheme) from None
        self._failure: type[Exception] = redis.exceptions.RedisError
        self._redis: Any = redis.Redis(connection_pool=pool)
        self._create, self._change, self._put, self._count = map(self._redis.register_script, (_CREATE, _CHANGE, _PUT, _COUNT))
        self._clock = clock
        self._silent_until = -float("inf")

    def create(self, code: str, state: bytes, most: int) -> Literal["done", "taken", "full"]:
        with self._asking():
            codes = [one.decode() for one in self._redis.smembers(_CODES)]
            if ended := [one for one, there in zip(codes, self._together("exists", map(_key, codes)), strict=True) if not there]:
                self._redis.srem(_CODES, *ended)
            done: bytes = self._create([_key(code), _CODES], [code, state, LIFETIME_SECONDS * 1000, most])
        return done.decode()  # type: ignore[return-value]

    def get(self, code: str, table: Table = "students", fields: Sequence[bytes] = ()) -> Stored | None:
        with self._asking():
            both = self._redis.pipeline()  # as one transaction
            both.hmget(_key(code), "state", "version")
            if fields:
                both.hmget(_key(code, table), fields)
            (state, version), *rows = both.execute()
        return None if state is None else Stored(state, int(version), tuple(rows[0]) if fields else ())

    def fields(self, code: str, table: Table) -> tuple[bytes, ...]:
        with self._asking():
            return tuple(self._redis.hkeys(_key(code, table)))

    def change(self, code: str, old: bytes, new: bytes) -> Written:
        with self._asking():
            done: bytes = self._change([_key(code)], [old, new])
        return done.decode()  # type: ignore[return-value]

    def put(self, code: str, state: bytes, table: Table, field: bytes, value: bytes, most: int = ANY) -> Written:
        with self._asking():
            done: bytes = self._put([_key(code), _key(code, table)], [state, field, value, most])
        return done.decode()  # type: ignore[return-value]

    def keep(self, code: str) -> None:
        with self._asking():
            self._together("pexpire", _keys(code), LIFETIME_SECONDS * 1000)

    def delete(self, code: str) -> None:
        with self._asking():
            self._redis.delete(*_keys(code))

    def count(self, name: bytes, by: int, seconds: int) -> int:
        with self._asking():
            return int(self._count([b"%bcount:%b" % (_PREFIX.encode(), name)], [by, seconds]))

    def _together(self, command: str, keys: Iterator[str] | list[str], *arguments: int) -> list[Any]:
        """One command for several keys, in one transaction."""
        pipeline = self._redis.pipeline()
        for key in keys:
            getattr(pipeline, command)(key, *arguments)
        answers: list[Any] = pipeline.execute()
        return answers

    @contextmanager
    def _asking(self) -> Iterator[None]:
        if self._clock() < self._silent_until:
            raise ClassStoreError(Message("The class store does not answer."))
        try:
            yield
        except self._failure as error:
            self._silent_until = self._clock() + PAUSE_SECONDS
            raise ClassStoreError(Message("The class store does not answer.")) from error


def _key(code: str, table: Table | None = None) -> str:
    """Braces: all keys of a class on one node of a cluster."""
    return f"{_PREFIX}class:{{{code}}}" + (f":{table}" if table else "")


def _keys(code: str) -> list[str]:
    return [_key(code), *(_key(code, table) for table in get_args(Table))]
