"""Classes as the pages use them: open, join, vote, look. The rules are here and in `classroom`, whatever store keeps the classes.

Who may do what is decided by a code and a secret. The **code** (six of twenty characters, 64,000,000 codes) is what a teacher says aloud
and a student types once, to join. Everything else takes the **secret** of the browser, which has been let in: the teacher's, made when
the class was opened, or a student's, made by the student's browser. Stored are hashes of them, salted with the code, so that nobody can
tell whether two classes have a student in common.

How safe a code is: of wrong ones a browser may try 10 in ten minutes, and all browsers together 300, which is 1,800 an hour. With one class
open, an hour of guessing finds it with probability 1,800 / 64,000,000 = 0.003 %; with 50 open, one of them with 0.14 %. Who finds it can
vote. The price: somebody who guesses all the time keeps newcomers out, but nobody who has joined.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import sha256

from mlp_core.labs.classes.classroom import (
    CODE_ALPHABET,
    CODE_LENGTH,
    MAX_CLASSES,
    MAX_STUDENTS,
    ROUNDS,
    ClassError,
    Classroom,
    NoClassError,
    TooManyTriesError,
    check_history,
    check_secret,
    check_vote,
    packed,
    read_code,
    unpacked,
)
from mlp_core.labs.classes.memory_store import MemoryStore
from mlp_core.labs.classes.store import ClassStore, Stored, Table
from mlp_core.words import Message

STORE_VARIABLE = "MLP_CLASS_STORE"
TRIES_SECONDS = 10 * 60
MAX_TRIES = 10  # wrong codes of one browser in that time
MAX_TRIES_IN_TOTAL = 300
MAX_COUNTS = 4 * MAX_CLASSES  # remembered

Row = tuple[Table, bytes, bytes]  # with its field and its value


@dataclass(frozen=True, slots=True)
class Opened:
    """A new class.

    Args:
        code: for the students, to be read out.
        secret: makes a browser the teacher's; never in an address.
    """

    code: str
    secret: str


@dataclass(frozen=True, slots=True)
class ClassStatus:
    """How a class stands at a step, for a member who asks again and again.

    Args:
        classroom, version, is_teacher, students, step: as of a `View`.
        voted: how many have voted in the round that is on, or was the last.
    """

    classroom: Classroom
    version: int
    is_teacher: bool
    students: int
    step: int
    voted: int


@dataclass(frozen=True, slots=True)
class View:
    """A class as one of its members sees it, at one step.

    Args:
        version: ask again when `Classes.status` says another.
        is_teacher: whether it is the teacher who looks.
        students: how many have joined.
        number: of a student in the order in which they joined, from 1; 0 for the teacher.
        step: the step of all that follows.
        own: a student's own vote in each round, None where there is none.
        votes: all votes, of each round that has begun, ascending; for a student () until the step is revealed.
        results: what each student's run measured; for a student () until the step is revealed.
    """

    classroom: Classroom
    version: int
    is_teacher: bool
    students: int
    number: int
    step: int
    own: tuple[float | None, ...]
    votes: tuple[tuple[float, ...], ...]
    results: tuple[tuple[float, ...], ...]


class Classes:
    """All classes of a store. Every method may be called from any thread.

    Raises:
        ClassError: by every method, where a value breaks a rule.
        NoClassError: the class has ended, or whoever asks is not in it.
        ClassStoreError: the store does not answer.
    """

    def __init__(self, store: ClassStore) -> None:
        self._store = store
        self._counted = lru_cache(MAX_COUNTS)(self._count)  # hundreds ask for the same, again and again

    def open(self, lesson: str, steps: int, secret: str | None = None) -> Opened:
        """Begin a class for a lesson. It ends by itself after two hours in which nothing was asked with the teacher's secret.

        Args:
            secret: of the teacher's browser, which then has to keep no other; a new one by default.
        """
        secret = secrets.token_urlsafe(16) if secret is None else secret
        while True:
            code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
            done = self._store.create(code, Classroom(lesson, steps, _who(code, secret)[1].hex()).to_bytes(), MAX_CLASSES)
            if done == "full":
                raise ClassError(
                    "classes", Message("must be at most {most} at the same time", most=MAX_CLASSES), f"{MAX_CLASSES} and one more"
                )
            if done == "done":
                return Opened(code, secret)

    def join(self, code: str, secret: str) -> str:
        """Let a student in, once however often the same browser comes, and return the code as it is stored.

        Args:
            code: as it was typed.
            secret: of the student's browser.

        Raises:
            TooManyTriesError: too many wrong codes lately, from this browser or from all. Who has joined is let in all the same.
        """
        code, student = _who(code, secret)
        stored = self._store.get(code, "students", [student])
        if stored is not None and stored.rows[0] is not None:
            return code
        browser = sha256(secret.encode()).digest()
        if self._store.count(browser, 0, TRIES_SECONDS) >= MAX_TRIES:  # uses up nothing of what all have together
            raise TooManyTriesError(code, MAX_TRIES, "from one browser")
        # Counted before anything is told: many tries at the same time are no way round it.
        if self._store.count(b"tries", 1, TRIES_SECONDS) > MAX_TRIES_IN_TOTAL:
            raise TooManyTriesError(code, MAX_TRIES_IN_TOTAL, "in total")
        if self._store.count(browser, 1, TRIES_SECONDS) > MAX_TRIES:
            raise TooManyTriesError(code, MAX_TRIES, "from one browser")
        if stored is None:
            raise NoClassError(code)
        for name in (b"tries", browser):  # the code was right
            self._store.count(name, -1, TRIES_SECONDS)
        self._let_in(code, student)
        return code

    def status(self, code: str, secret: str, step: int) -> ClassStatus:
        """How the class stands. Its version grows when there is something new to see: for the teacher with every change, for a student
        with the teacher's.
        """
        code, asks = _who(code, secret)
        member = self._member(code, asks)
        room = member.classroom
        students, voted = self._counted(code, member.stored.version, step, room.round_of(step))
        return ClassStatus(room, member.version, member.is_teacher, students, step, voted)

    def look(self, code: str, secret: str, step: int | None = None) -> View:
        """The class at a step, by itself the step that the teacher is at."""
        code, asks = _who(code, secret)
        member = self._member(code, asks)
        room = member.classroom
        step = room.at if step is None else room.check_step(step)
        students = self._store.fields(code, "students")
        own = () if member.is_teacher else self._rows(code, "votes", [_field(step, turn, asks) for turn in range(1, ROUNDS + 1)])
        open_to = member.is_teacher or room.is_revealed(step)
        turns = range(1, room.round_of(step) + 1) if open_to else ()
        votes = [self._rows(code, "votes", [_field(step, turn, student) for student in students]) for turn in turns]
        results = self._rows(code, "results", [_field(step, 1, student) for student in students]) if open_to else ()
        return View(
            classroom=room,
            version=member.version,
            is_teacher=member.is_teacher,
            students=len(students),
            number=member.number,
            step=step,
            own=tuple(None if vote is None else unpacked(vote)[0] for vote in own),
            votes=tuple(tuple(sorted(unpacked(vote)[0] for vote in turn if vote is not None)) for turn in votes),
            results=tuple(unpacked(history) for history in sorted(filter(None, results))),
        )

    def vote(self, code: str, secret: str, step: int, value: float) -> None:
        """A student's vote in the round that is on, in place of an earlier one.

        Args:
            value: the index of a choice, from 0, or the number that is bet on.

        Raises:
            ClassError: the step is revealed.
        """
        code, student = _who(code, secret)
        vote = packed((check_vote(value),))

        def row(room: Classroom) -> Row:
            room.check_open(step)
            return "votes", _field(step, room.round_of(step), student), vote

        self._put(code, student, row)

    def hand_in(self, code: str, secret: str, step: int, history: Sequence[float]) -> None:
        """What a student's run of a step measured, in place of an earlier run.

        Args:
            history: for instance the test accuracy after each epoch, at most `MAX_HISTORY` values.
        """
        code, student = _who(code, secret)
        values = packed(check_history(history))
        self._put(code, student, lambda room: ("results", _field(room.check_step(step), 1, student), values))

    def move(self, code: str, secret: str, step: int) -> None:
        """Teacher: go to a step."""
        self._change(code, secret, lambda room: room.moved(step))

    def pace(self, code: str, secret: str, *, together: bool) -> None:
        """Teacher: have the students follow, or let them go by themselves."""
        self._change(code, secret, lambda room: room.paced(together=together))

    def reveal(self, code: str, secret: str, step: int) -> None:
        """Teacher: show the outcome of a step; nobody votes there any more."""
        self._change(code, secret, lambda room: room.showing(step))

    def vote_again(self, code: str, secret: str, step: int) -> None:
        """Teacher: begin the second round of a step that is not revealed yet."""
        self._change(code, secret, lambda room: room.voting_again(step))

    def end(self, code: str, secret: str) -> None:
        """Teacher: end the class and forget it."""
        code, teacher = _who(code, secret)
        self._teacher(code, teacher)
        self._store.delete(code)

    def _member(self, code: str, asks: bytes) -> _Member:
        """A member of a class; the teacher keeps it alive by asking."""
        stored = self._store.get(code, "students", [asks])
        if stored is None:
            raise NoClassError(code)
        room = Classroom.from_bytes(stored.state)
        if hmac.compare_digest(room.teacher, asks.hex()):
            self._store.keep(code)
            return _Member(stored, room, True, stored.version, 0)
        if stored.rows[0] is None:
            raise NoClassError(code)
        return _Member(stored, room, False, room.changes, round(unpacked(stored.rows[0])[0]))

    def _count(self, code: str, version: int, step: int, turn: int) -> tuple[int, int]:
        """Students, and votes of a round, in the version that a class has."""
        students = self._store.fields(code, "students")
        votes = self._rows(code, "votes", [_field(step, turn, student) for student in students])
        return len(students), sum(vote is not None for vote in votes)

    def _teacher(self, code: str, asks: bytes) -> _Member:
        member = self._member(code, asks)
        if not member.is_teacher:
            raise ClassError("secret", "must be the teacher's", "a student's")
        return member

    def _change(self, code: str, secret: str, change: Callable[[Classroom], Classroom]) -> None:
        code, asks = _who(code, secret)
        while True:
            teacher = self._teacher(code, asks)
            new = change(teacher.classroom)
            if new == teacher.classroom or self._store.change(code, teacher.stored.state, new.to_bytes()) == "done":
                return

    def _let_in(self, code: str, student: bytes) -> None:
        """Write a student's number, which is free as long as nobody else has joined."""
        while True:
            stored, students = self._store.get(code), self._store.fields(code, "students")
            if stored is None:
                raise NoClassError(code)
            if student in students:
                return
            number = len(students) + 1
            if number > MAX_STUDENTS:
                raise ClassError("students", Message("must be at most {most} in a class", most=MAX_STUDENTS), number)
            if self._store.put(code, stored.state, "students", student, packed((float(number),)), most=number) == "done":
                return

    def _put(self, code: str, student: bytes, row: Callable[[Classroom], Row]) -> None:
        """Write the row that `row` makes of the class, if `student` is in it; begin again where the teacher changes it meanwhile."""
        while True:
            stored = self._store.get(code, "students", [student])
            if stored is None or stored.rows[0] is None:
                raise NoClassError(code)
            table, field, value = row(Classroom.from_bytes(stored.state))
            if self._rows(code, table, [field]) == (value,):
                return  # as it was: nothing new to see
            if self._store.put(code, stored.state, table, field, value) == "done":
                return

    def _rows(self, code: str, table: Table, fields: list[bytes]) -> tuple[bytes | None, ...]:
        stored = self._store.get(code, table, fields)
        return () if stored is None else stored.rows


@dataclass(frozen=True, slots=True)
class _Member:
    stored: Stored
    classroom: Classroom
    is_teacher: bool
    version: int
    number: int


def _who(code: str, secret: str) -> tuple[str, bytes]:
    """A code as it is stored, and who a secret belongs to in that class: 16 bytes from which nobody gets the secret back."""
    code = read_code(code)
    return code, sha256(f"{code} {check_secret(secret)}".encode()).digest()[:16]


def _field(step: int, turn: int, student: bytes) -> bytes:
    return bytes((step, turn)) + student


@cache
def classes() -> Classes:
    """The classes of this process, or of all that share the Redis which `MLP_CLASS_STORE=redis://…` names.

    Raises:
        ClassError: another value of the variable.
        ClassStoreError: the package that it takes is not installed.
    """
    address = os.environ.get(STORE_VARIABLE, "")
    if not address:
        return Classes(MemoryStore())
    from mlp_core.labs.classes.redis_store import RedisStore  # noqa: PLC0415

    return Classes(RedisStore(address))
