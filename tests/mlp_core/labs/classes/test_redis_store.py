"""What only Redis can do or suffer: several replicas, a server that goes away, an address that is wrong."""

from __future__ import annotations

import socket
import sys

import pytest

from mlp_core.labs.classes.classes import STORE_VARIABLE, Classes, classes
from mlp_core.labs.classes.classroom import LIFETIME_SECONDS, ClassError, NoClassError
from mlp_core.labs.classes.memory_store import MemoryStore
from mlp_core.labs.classes.redis_store import PAUSE_SECONDS, RedisStore
from mlp_core.labs.classes.store import ClassStoreError
from tests.support.class_stores import Clock, RedisServer, place_in_redis

ANN, BEN = "a" * 22, "b" * 22


def test_several_replicas_see_the_same_class(server: RedisServer) -> None:
    one, two = (Classes(RedisStore(server.address)) for _ in range(2))
    opened = one.open("xor", 3)
    two.join(opened.code, ANN)
    one.join(opened.code, BEN)
    two.vote(opened.code, BEN, 1, 1)
    one.vote(opened.code, ANN, 1, 0)
    assert one.look(opened.code, opened.secret) == two.look(opened.code, opened.secret)
    two.reveal(opened.code, opened.secret, 1)
    assert one.look(opened.code, ANN).votes == ((0, 1),)


def test_everything_of_a_class_expires_by_the_clock_of_redis_and_together(server: RedisServer) -> None:
    place = place_in_redis(server)
    here = Classes(place.store)
    opened = here.open("xor", 3)
    place.let_pass(3000)
    here.join(opened.code, ANN)
    here.vote(opened.code, ANN, 1, 0)
    here.hand_in(opened.code, ANN, 1, [0.5])
    keys = list(server.client.scan_iter("mlp:class:*"))
    assert len(keys) == 4
    assert all(LIFETIME_SECONDS - 3060 < server.client.ttl(key) <= LIFETIME_SECONDS - 3000 for key in keys)
    here.status(opened.code, opened.secret, 1)
    assert all(LIFETIME_SECONDS - 60 < server.client.ttl(key) <= LIFETIME_SECONDS for key in keys)


def test_tries_are_forgotten_by_the_clock_of_redis(server: RedisServer) -> None:
    place = place_in_redis(server)
    with pytest.raises(NoClassError):
        Classes(place.store).join("CFG234", ANN)
    keys = list(server.client.scan_iter("mlp:count:*"))
    assert len(keys) == 2
    assert all(540 < server.client.ttl(key) <= 600 for key in keys)


def test_a_server_that_goes_away_is_said_and_found_again(server: RedisServer) -> None:
    place = place_in_redis(server)
    here = Classes(place.store)
    opened = here.open("xor", 3)
    server.stop()
    try:
        for _ in range(2):  # the second does not try
            with pytest.raises(ClassStoreError, match=r"^The class store does not answer\.$"):
                here.look(opened.code, opened.secret)
    finally:
        server.start()
    with pytest.raises(ClassStoreError):
        here.open("xor", 3)
    place.clock.now += PAUSE_SECONDS
    with pytest.raises(NoClassError):  # this server kept nothing on its disk
        here.look(opened.code, opened.secret)
    opened = here.open("xor", 3)
    here.join(opened.code, ANN)
    here.vote(opened.code, ANN, 1, 2)
    assert here.look(opened.code, opened.secret).votes == ((2,),)


def test_connections_from_before_a_restart_are_made_anew(server: RedisServer) -> None:
    here = Classes(RedisStore(server.address))
    here.open("xor", 3)
    server.stop()
    server.start()
    opened = here.open("xor", 3)  # while nobody asked it was away: nobody need notice
    assert here.look(opened.code, opened.secret).students == 0


def test_who_waits_for_a_server_that_says_nothing_waits_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlp_core.labs.classes.redis_store.TIMEOUT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        here = Classes(RedisStore(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", Clock()))
        with pytest.raises(ClassStoreError, match=r"^The class store does not answer\.$"):
            here.open("xor", 3)
        silent.setblocking(False)
        while True:  # forget who came
            try:
                silent.accept()[0].close()
            except BlockingIOError:
                break
        with pytest.raises(ClassStoreError, match=r"^The class store does not answer\.$"):
            here.open("xor", 3)
        with pytest.raises(BlockingIOError):
            silent.accept()


@pytest.mark.parametrize("address", ["localhost:6379", "http://user:pass@host", "redis://host:port"])
def test_an_address_that_is_none_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(ClassError, match=r"MLP_CLASS_STORE: must be an address that begins with redis://, rediss:// or unix://") as error:
        RedisStore(address)
    assert "pass" not in str(error.value)


def test_the_variable_says_where_the_classes_of_a_process_are(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    classes.cache_clear()
    monkeypatch.delenv(STORE_VARIABLE, raising=False)
    assert isinstance(classes()._store, MemoryStore)
    assert classes() is classes()
    classes.cache_clear()
    monkeypatch.setenv(STORE_VARIABLE, server.address)
    opened = classes().open("xor", 3)
    assert Classes(RedisStore(server.address)).look(opened.code, opened.secret).classroom.lesson == "xor"
    classes.cache_clear()


def test_without_its_package_the_store_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ClassStoreError, match=r"pip install -r requirements-redis\.txt"):
        RedisStore("redis://localhost")
