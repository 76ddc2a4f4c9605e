"""What a class is: the step that the teacher is at, rounds of votes, what is revealed; and the rules that a change of it obeys.

Plain data. Steps are counted from 1, as in the address of a lesson.
"""

from __future__ import annotations

import json
import re
import struct
from dataclasses import asdict, dataclass, field, replace

from mlp_core.bounds import Bounds, SpecError
from mlp_core.words import Message

# The 20 characters of Open Location Codes (Google, 2014, "Open Location Code: an open source standard for addresses"): none is taken for
# another, and without vowels they spell no word.
CODE_ALPHABET = "23456789CFGHJMPQRVWX"
CODE_LENGTH = 6

LIFETIME_SECONDS = 2 * 60 * 60  # without the teacher
MAX_CLASSES = 50
MAX_STUDENTS = 300
MAX_STEPS = 20
ROUNDS = 2  # a second vote after discussion (Mazur 1997, "Peer Instruction")
MAX_HISTORY = 50  # values of one run, one an epoch say
VOTE_BOUNDS = Bounds(-1e12, 1e12)  # the index of a choice, or a number that is bet on
SECRET_LENGTHS = range(16, 129)  # characters

_LESSON = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


class ClassError(SpecError):
    """Something that a class does not take. `str()` is a sentence for the person who tried it."""


class NoClassError(ClassError):
    """There is no such class: it never was, it has ended, or it is not of the one who asks. Which of them is not told."""

    def __init__(self, code: str) -> None:
        super().__init__("code", Message("must be that of a class that is open"), code)


class TooManyTriesError(ClassError):
    """Too many wrong codes lately."""

    def __init__(self, code: str, most: int, whose: str) -> None:
        super().__init__("code", f"must not be wrong more than {most} times in ten minutes {whose}", code)


@dataclass(frozen=True, slots=True)
class Classroom:
    """What the teacher has set; nothing here comes from a student.

    Args:
        lesson: the name of the lesson's file.
        steps: how many steps the lesson has.
        teacher: hash of the teacher's secret, hexadecimal.
        rounds: of each step, whether the first or the second vote is on; () stands for the first everywhere.
        at: the step that the teacher is at.
        together: whether the students follow, or go by themselves.
        revealed: steps whose outcome is shown, ascending; nobody votes there any more.
        changes: how often something was changed, and 1 for the beginning.

    Raises:
        ClassError: a lesson or a number of steps that no class can have.
    """

    lesson: str
    steps: int
    teacher: str = field(repr=False)
    rounds: tuple[int, ...] = ()
    at: int = 1
    together: bool = True
    revealed: tuple[int, ...] = ()
    changes: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.lesson, str) or not _LESSON.fullmatch(self.lesson):
            raise ClassError("lesson", "must be the name of a lesson: at most 40 lower-case letters, digits, - and _", self.lesson)
        _whole("steps", self.steps, MAX_STEPS)
        if not self.rounds:
            object.__setattr__(self, "rounds", (1,) * self.steps)

    def check_step(self, step: object) -> int:
        """Return `step`.

        Raises:
            ClassError: the lesson has no such step.
        """
        return _whole("step", step, self.steps)

    def round_of(self, step: int) -> int:
        """Which vote is on at a step: 1, or 2 after the discussion."""
        return self.rounds[self.check_step(step) - 1]

    def is_revealed(self, step: int) -> bool:
        return self.check_step(step) in self.revealed

    def check_open(self, step: int) -> None:
        """Raise ClassError where nobody votes any more."""
        if self.is_revealed(step):
            raise ClassError("step", Message("must be one that is not revealed yet"), step)

    def moved(self, step: int) -> Classroom:
        return self._with(at=self.check_step(step))

    def paced(self, *, together: bool) -> Classroom:
        return self._with(together=bool(together))

    def showing(self, step: int) -> Classroom:
        """With the outcome of a step revealed."""
        return self._with(revealed=tuple(sorted({*self.revealed, self.check_step(step)})))

    def voting_again(self, step: int) -> Classroom:
        """In the second round of a step."""
        self.check_open(step)
        return self._with(rounds=(*self.rounds[: step - 1], ROUNDS, *self.rounds[step:]))

    def _with(self, **changed: object) -> Classroom:
        new = replace(self, **changed)  # type: ignore[arg-type]
        return self if new == self else replace(new, changes=self.changes + 1)

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, stored: bytes) -> Classroom:
        values = json.loads(stored)
        return cls(**{**values, "rounds": tuple(values["rounds"]), "revealed": tuple(values["revealed"])})


def _whole(name: str, value: object, most: int) -> int:
    if type(value) is not int or not 1 <= value <= most:
        raise ClassError(name, Message("must be a whole number from {low} to {high}", low=1, high=most), value)
    return value


def read_code(text: object) -> str:
    """A class's code as somebody typed it: small letters, spaces and hyphens are allowed.

    Raises:
        ClassError: it cannot be a code.
    """
    code = re.sub(r"[\s-]", "", text[:100]).upper() if isinstance(text, str) else ""
    if len(code) != CODE_LENGTH or not set(code) <= set(CODE_ALPHABET):
        raise ClassError("code", Message("must be {length} of the characters {alphabet}", length=CODE_LENGTH, alphabet=CODE_ALPHABET), text)
    return code


def check_secret(secret: object) -> str:
    """Return a browser's secret.

    Raises:
        ClassError: it is too short to be one, or too long; the error does not repeat it.
    """
    if not isinstance(secret, str) or len(secret) not in SECRET_LENGTHS or not secret.isascii():
        given = f"{len(secret):,} characters" if isinstance(secret, str) else type(secret).__name__
        raise ClassError("secret", f"must have {SECRET_LENGTHS[0]} to {SECRET_LENGTHS[-1]} ASCII characters", given)
    return secret


def check_vote(value: object) -> float:
    """Return a vote as a number.

    Raises:
        ClassError: it is none, or not finite, or outside `VOTE_BOUNDS`.
    """
    try:
        return float(VOTE_BOUNDS.check("vote", value))
    except SpecError as error:
        raise ClassError(error.field, error.rule, error.value) from None


def check_history(values: object) -> tuple[float, ...]:
    """Return what a run measured, as numbers. NaN and infinity are among them: a run that diverges is a result.

    Raises:
        ClassError: no list of numbers, an empty one, or one that is too long.
    """
    rule = f"must be a list of 1 to {MAX_HISTORY} numbers"
    if not isinstance(values, list | tuple) or not all(type(value) in (int, float) for value in values):
        raise ClassError("history", rule, values)
    if not 1 <= len(values) <= MAX_HISTORY:
        raise ClassError("history", rule, f"{len(values):,}")
    try:
        return tuple(float(value) for value in values)
    except OverflowError:
        raise ClassError("history", rule, values) from None


def packed(values: tuple[float, ...]) -> bytes:
    """Numbers as they are stored: 8 bytes each."""
    return struct.pack(f"<{len(values)}d", *values)


def unpacked(stored: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(stored) // 8}d", stored)
