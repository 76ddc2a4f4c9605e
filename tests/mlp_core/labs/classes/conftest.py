"""Every test of a store runs on both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mlp_core.labs.classes.classes import Classes
from tests.support.class_stores import Place, RedisServer, place_in_memory, place_in_redis, redis_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(params=["memory", "redis"])
def place(request: pytest.FixtureRequest) -> Place:
    return place_in_memory() if request.param == "memory" else place_in_redis(request.getfixturevalue("server"))


@pytest.fixture
def classes(place: Place) -> Classes:
    return Classes(place.store)
