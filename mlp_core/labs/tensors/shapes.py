"""How the shapes of an operation line up: which axes meet, stretch, go or clash.

Reference: torch's notes on broadcasting semantics, and the documentation of torch.matmul. The rules are written down here a second time
on purpose: torch says that shapes do not fit, and this says which axes are to blame.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mlp_core.words import Message, counted, joined, listed

Shape = tuple[int, ...]


class Role(StrEnum):
    """What becomes of an axis; the value is the word that stands below it."""

    EQUAL = Message("equal")
    STRETCHED = Message("stretched")
    ADDED = Message("counts as 1")  # not there: broadcasting puts it in front
    SUMMED = Message("summed")
    STAYS = Message("stays")
    CLASH = Message("clash")


@dataclass(frozen=True, slots=True)
class Axis:
    size: int
    role: Role


@dataclass(frozen=True, slots=True)
class Row:
    """One tensor's axes by column; None where it has no axis in that column. All rows of a lineup are equally long."""

    name: str
    axes: tuple[Axis | None, ...]


Place = tuple[int, int]  # row, column


@dataclass(frozen=True, slots=True)
class Lineup:
    """Shapes above one another, the result last.

    Args:
        rows: one for every operand, and one for the result where there is one.
        shape: the result's; None where the shapes do not fit.
        words: what happens, or which axes clash and why.
        links: axes that belong together without standing in one column.
    """

    rows: tuple[Row, ...]
    shape: Shape | None
    words: str
    links: tuple[tuple[Place, Place], ...] = ()


def tuple_text(shape: Sequence[int]) -> str:
    """A shape as Python writes it: `(2, 3)`, `(3,)`, `()`."""
    return str(tuple(shape))


def all_axes(a: Shape, words: str) -> Lineup:
    """All axes are used up: the result is one number."""
    return _finished((_row("A", a, Role.SUMMED),), (), (), words)


def matrix_norm(a: Shape) -> Lineup:
    """The last two axes are used up."""
    if len(a) < 2:
        return _refused(a, Message("A Frobenius norm is that of a matrix, with at least 2 axes; {has}.", has=_has("A", a)))
    kept = len(a) - 2
    stay = _stay(a[:kept])
    row = Row("A", (*stay, *(Axis(size, Role.SUMMED) for size in a[kept:])))
    return _finished((row,), (*stay, None, None), a[:kept], Message("The last two axes go: one norm for every matrix."))


def reduced(a: Shape, axes: Sequence[int], keepdim: bool) -> Lineup:
    """A sum over some axes, all if none is named."""
    if missing := [axis for axis in axes if axis >= len(a)]:
        return _no_such_axis(a, missing)
    gone = set(axes or range(len(a)))
    named = ", ".join(map(str, sorted(gone)))
    row = tuple(Axis(size, Role.SUMMED if axis in gone else Role.STAYS) for axis, size in enumerate(a))
    if keepdim and axes:
        result = tuple(Axis(1, Role.SUMMED) if axis in gone else Axis(size, Role.STAYS) for axis, size in enumerate(a))
        if len(gone) == 1:
            words = Message("Axis {axis} shrinks to size 1 and stays, so that the result broadcasts against A.", axis=named)
        else:
            words = Message("Each of the axes {axes} shrinks to size 1 and stays, so that the result broadcasts against A.", axes=named)
        return _finished((Row("A", row),), result, tuple(axis.size for axis in result), words)
    left = tuple(None if axis in gone else Axis(size, Role.STAYS) for axis, size in enumerate(a))
    if len(gone) == len(a):
        words = Message("All axes go: one number.")
    elif len(gone) == 1:
        words = Message("Axis {axis} disappears.", axis=named)
    else:
        words = Message("Each of the axes {axes} disappears.", axes=named)
    return _finished((Row("A", row),), left, tuple(axis.size for axis in left if axis), words)


def running(a: Shape, axis: int) -> Lineup:
    """A running total along one axis."""
    if axis >= len(a):
        return _no_such_axis(a, [axis])
    words = Message("Every axis stays; along axis {axis} each cell is the sum of all up to it.", axis=axis)
    return _finished((_row("A", a, Role.STAYS),), _stay(a), a, words)


def swapped(a: Shape, first: int, second: int) -> Lineup:
    """Two axes change places."""
    if missing := [axis for axis in (first, second) if axis >= len(a)]:
        return _no_such_axis(a, missing)
    order = list(range(len(a)))
    order[first], order[second] = second, first
    shape = tuple(a[axis] for axis in order)
    links = (((0, first), (1, second)), ((0, second), (1, first)))
    words = Message("Axes {first} and {second} change places; no number changes.", first=first, second=second)
    return _finished((_row("A", a, Role.STAYS),), _stay(shape), shape, words, links)


def reshaped(a: Shape, target: Shape) -> Lineup:
    """The same elements, row by row, in another shape; one size may be -1 and follows from the others."""
    count, known = math.prod(a), math.prod(size for size in target if size != -1)
    if any(size < -1 for size in target):
        return _refused(a, Message("A size is a whole number from 0 on, or −1 for the one that follows from the others."))
    if target.count(-1) > 1:
        return _refused(a, Message("Only one size may be −1: it follows from the others."))
    factors = "·".join(str(size) for size in target if size != -1)
    if -1 in target and (known == 0 or count % known):
        words = counted(
            count,
            "A has {n} element, and {n} is no multiple of {factors}.",
            "A has {n} elements, and {n} is no multiple of {factors}.",
            factors=factors or 1,
        )
        return _refused(a, words)
    if -1 not in target and known != count:
        words = counted(
            count,
            "A has {n} element, the new shape has {product}.",
            "A has {n} elements, the new shape has {product}.",
            product=_product_text(target, known),
        )
        return _refused(a, words)
    shape = tuple(count // known if size == -1 else size for size in target)
    words = Message(
        "{before} elements before and {after} after, read row by row: no number changes.",
        before=_product_text(a, count), after=_product_text(shape, count),
    )  # fmt: skip
    return _finished((_row("A", a, Role.STAYS),), _stay(shape), shape, words)


def broadcast(a: Shape, b: Shape) -> Lineup:
    """Elementwise: aligned from the right, axes are equal or one of them is 1."""
    columns = max(len(a), len(b))
    pairs = [_meet(a, b, columns - column) for column in range(columns)]
    rows = (Row("A", tuple(pair[0] for pair in pairs)), Row("B", tuple(pair[1] for pair in pairs)))
    if clashes := _clashes(a, b, pairs):
        return Lineup(rows, None, joined(clashes, Message("Axes that meet must be equal, or one of them 1.")))
    shape = tuple(_joint(first, second) for first, second in pairs)
    stretched = any(axis.role is not Role.EQUAL for pair in pairs for axis in pair)
    if stretched:
        words = Message("Aligned from the right, a size of 1 stretches to what it meets.")
    else:
        words = Message("Equal shapes: cell by cell.")
    return _finished(rows, _stay(shape), shape, words)


def dot(a: Shape, b: Shape) -> Lineup:
    """Two vectors of one length."""
    return _product_of(a, b, (1, 1), lambda has: Message("dot takes two vectors; {has}.", has=has))


def mv(a: Shape, b: Shape) -> Lineup:
    """A matrix times a vector."""
    return _product_of(a, b, (2, 1), lambda has: Message("mv takes a matrix and a vector; {has}.", has=has))


def mm(a: Shape, b: Shape) -> Lineup:
    """Two matrices, and nothing else."""
    return _product_of(a, b, (2, 2), lambda has: Message("mm takes two matrices; {has}. matmul takes more.", has=has))


def _product_of(a: Shape, b: Shape, axes: tuple[int, int], refusal: Callable[[str], Message]) -> Lineup:
    """A product that minds the number of axes of A and of B; the wrong ones are marked, and the refusal says how many they have."""
    operands = list(zip("AB", (a, b), axes, strict=True))
    wrong = [_has(name, shape) for name, shape, wanted in operands if len(shape) != wanted]
    if not wrong:
        return matmul(a, b)
    roles = [Role.STAYS if len(shape) == wanted else Role.CLASH for _, shape, wanted in operands]
    columns = max(len(a), len(b))
    rows = tuple(_row(name, shape, role, columns) for (name, shape, _), role in zip(operands, roles, strict=True))
    both = Message("{first} and {second}", first=wrong[0], second=wrong[1]) if len(wrong) == 2 else wrong[0]
    return Lineup(rows, None, refusal(both))


def matmul(a: Shape, b: Shape) -> Lineup:
    """The last axis of A is summed against the last but one of B (the only one of a vector); axes before them broadcast."""
    batch_a, batch_b = a[:-2], b[:-2]
    columns = max(len(batch_a), len(batch_b))
    pairs = [_meet(batch_a, batch_b, columns - column) for column in range(columns)]
    inner_a, inner_b = a[-1], b[-2] if len(b) > 1 else b[0]
    inner = Role.SUMMED if inner_a == inner_b else Role.CLASH
    m = Axis(a[-2], Role.STAYS) if len(a) > 1 else None
    n = Axis(b[-1], Role.STAYS) if len(b) > 1 else None
    rows = (
        Row("A", (*(pair[0] for pair in pairs), m, Axis(inner_a, inner))),
        Row("B", (*(pair[1] for pair in pairs), Axis(inner_b, inner), n)),
    )
    links = (((0, columns + 1), (1, columns)),)
    clash = _clashes(batch_a, batch_b, pairs)
    if inner is Role.CLASH:
        unequal = Message(
            "{first} is multiplied with {second} in pairs, so axis {axis_a} of A (size {size_a}) must equal axis {axis_b} of B "
            "(size {size_b}).",
            first=Message("Every row of A") if m else "A", second=Message("every column of B") if n else "B",
            axis_a=len(a) - 1, size_a=inner_a, axis_b=max(len(b) - 2, 0), size_b=inner_b,
        )  # fmt: skip
        clash = joined(unequal, clash)
    if clash:
        return Lineup(rows, None, clash, links)
    batch = tuple(Axis(_joint(first, second), Role.STAYS) for first, second in pairs)
    result = (*batch, m, n)
    if m or n:
        words = Message("The inner axes, both of size {size}, are summed away; the outer ones stay.", size=inner_a)
    else:
        words = Message("The inner axes, both of size {size}, are summed away.", size=inner_a)
    return _finished(rows, result, tuple(axis.size for axis in result if axis), words, links)


def _meet(a: Shape, b: Shape, from_right: int) -> tuple[Axis, Axis]:
    """The axes of A and B at a distance from the right end, from 1."""
    sizes = [shape[-from_right] if from_right <= len(shape) else None for shape in (a, b)]
    first, second = (1 if size is None else size for size in sizes)
    if first == second:
        roles = [Role.EQUAL, Role.EQUAL]
    elif 1 in (first, second):
        roles = [Role.STRETCHED if size == 1 else Role.STAYS for size in (first, second)]
    else:
        roles = [Role.CLASH, Role.CLASH]
    roles = [Role.ADDED if size is None else role for size, role in zip(sizes, roles, strict=True)]
    return Axis(first, roles[0]), Axis(second, roles[1])


def _joint(first: Axis, second: Axis) -> int:
    return second.size if first.size == 1 else first.size


def _clashes(a: Shape, b: Shape, pairs: Sequence[tuple[Axis, Axis]]) -> str:
    """The axes that meet and cannot, in words."""
    sentences = []
    for column, (first, second) in enumerate(pairs):
        if first.role is Role.CLASH:
            axis_a, axis_b = column - len(pairs) + len(a), column - len(pairs) + len(b)
            sentences.append(
                Message(
                    "Axis {axis_a} of A (size {size_a}) meets axis {axis_b} of B (size {size_b}).",
                    axis_a=axis_a, size_a=first.size, axis_b=axis_b, size_b=second.size,
                )
            )  # fmt: skip
    return joined(*sentences)


def _stay(shape: Shape) -> tuple[Axis, ...]:
    return tuple(Axis(size, Role.STAYS) for size in shape)


def _row(name: str, shape: Shape, role: Role, columns: int = 0) -> Row:
    return Row(name, (None,) * (columns - len(shape)) + tuple(Axis(size, role) for size in shape))


def _no_such_axis(a: Shape, missing: Sequence[int]) -> Lineup:
    known = Message("its only axis is 0") if len(a) == 1 else Message("they are counted from 0 to {last}", last=len(a) - 1)
    absent = listed([Message("no axis {axis}", axis=axis) for axis in missing], "and")
    return _refused(a, Message("{has}, {known}; there is {absent}.", has=_has("A", a), known=known, absent=absent))


def _has(name: str, shape: Shape) -> Message:
    return counted(len(shape), "{name} has {n} axis", "{name} has {n} axes", name=name)


def _product_text(shape: Shape, count: int) -> str:
    return str(count) if len(shape) < 2 else f"{'·'.join(map(str, shape))} = {count}"


def _refused(a: Shape, words: str) -> Lineup:
    return Lineup((_row("A", a, Role.CLASH),), None, words)


def _finished(
    rows: tuple[Row, ...], result: tuple[Axis | None, ...], shape: Shape, words: str, links: tuple[tuple[Place, Place], ...] = ()
) -> Lineup:
    """Add the result's row, and make all rows equally long."""
    columns = max(len(result), *(len(row.axes) for row in rows))
    padded = tuple(Row(row.name, (*row.axes, *(None,) * (columns - len(row.axes)))) for row in (*rows, Row(Message("result"), result)))
    return Lineup(padded, shape, words, links)
