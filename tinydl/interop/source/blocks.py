"""Calls that come several times become a class; a chain of its uses becomes a loop.

A region is a stretch of calls that reads one value from outside and hands one on. Regions of the
same structure, whatever their sizes, are occurrences of one class: arguments in which they differ
are arguments of its `__init__`. The structure that saves most lines is taken first, then the next,
among what is left and the new classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .calls import Body, Call, Class, Code, Layer, Parameter, literal, named_layers

LONGEST = 40  # calls of a region
FULL = 6  # calls from which on a longer region counts no more: small blocks first, then of them
MOST_CALLS = 800  # of a net in which blocks are looked for
Key = tuple[Any, ...]


def with_classes(body: Body) -> tuple[Body, list[Class]]:
    """The body in terms of classes, and these, each before those that use it."""
    classes: list[Class] = []
    while len(body.calls) <= MOST_CALLS and (found := _best(body)) is not None:
        made, calls = _class_of(body, *found, {c.name for c in classes})
        classes.append(made)
        body = replace(body, calls=calls)
    return replace(body, calls=_chained(body)), classes


def _best(body: Body) -> tuple[list[int], int] | None:
    """(where it begins each time, how many calls) of the region that saves most."""
    groups: dict[Key, list[tuple[int, int]]] = {}
    users = _users(body)
    ids = [id(c.layer) for c in body.calls if c.layer is not None]
    shared = {i for i in ids if ids.count(i) > 1}
    for start in range(len(body.calls)):
        for length in range(2, min(LONGEST, len(body.calls) - start) + 1):
            key = _key(body, users, start, length)
            own = not any(id(c.layer) in shared for c in body.calls[start : start + length])
            if key is not None and own:
                groups.setdefault(key, []).append((start, length))
    best, saved = None, (0, False, False, 0)
    for places in groups.values():
        starts = _apart(places)
        count, length = len(starts), places[0][1]
        ends = body.calls[starts[0]], body.calls[starts[0] + length - 1]
        whole = ends[0].layer is not None, ends[1].layer is None  # from a layer to what it feeds
        gain = ((count - 1) * min(length, FULL), *whole, length)
        if (count >= 3 or (count == 2 and length >= 5)) and gain > saved:
            best, saved = (starts, length), gain
    return best


def _apart(places: Sequence[tuple[int, int]]) -> list[int]:
    """Begins that do not overlap, from the first on."""
    starts: list[int] = []
    for start, length in places:
        if not starts or start >= starts[-1] + length:
            starts.append(start)
    return starts


def _users(body: Body) -> dict[int, int]:
    """{value: the last call that reads it}; outputs of the body are read behind its end."""
    found = {n: k for k, call in enumerate(body.calls) for n in call.inputs}
    return found | dict.fromkeys(body.outputs, len(body.calls))


def _key(body: Body, users: dict[int, int], start: int, length: int) -> Key | None:
    """The structure of a region; None for calls that are none."""
    calls = body.calls[start : start + length]
    end, entry, rows = start + length, None, []
    made: dict[int, tuple[int, int]] = {}
    if not any(c.layer is not None for c in calls) or len(calls[-1].outputs) != 1:
        return None
    for k, call in enumerate(calls):
        refs: list[Any] = []
        for number in call.inputs:
            if number in made:
                refs.append(made[number])
                continue
            if entry not in (None, number):
                return None
            entry = number
            refs.append("entry")
        for i, number in enumerate(call.outputs):
            made[number] = (k, i)
            if users.get(number, -1) >= end and number not in calls[-1].outputs:
                return None
        rows.append((call.signature, tuple(refs)))
    alike = len({row[0] for row in rows}) == 1  # a chain, which becomes a loop
    return None if entry is None or alike else tuple(rows)


# -- one class -------------------------------------------------------------------------------------


def _class_of(
    body: Body, starts: list[int], length: int, taken: set[str]
) -> tuple[Class, list[Call]]:
    """The class of these regions, and the calls with its uses in their place."""
    regions = [body.calls[s : s + length] for s in starts]
    args, renamed = _arguments(regions)
    entry = _entry(regions[0])
    first = [
        replace(call, layer=None if call.layer is None else replace(
            call.layer, args={n: renamed.get((k, n), v) for n, v in call.layer.args.items()},
            arrays={},
        ))
        for k, call in enumerate(regions[0])
    ]  # fmt: skip
    inner = Body(first, [entry], [regions[0][-1].outputs[0]], {entry: "x"})
    name = _name(first, entry, taken)
    defaults = {n: default for n, (default, _) in args.items() if default is not None}
    made = Class(name, inner, {n: default for n, (default, _) in args.items()},
                 f"It comes {len(starts)} times.")  # fmt: skip
    names = named_layers(regions[0])
    calls, place = [], 0
    for index, (start, region) in enumerate(zip(starts, regions, strict=True)):
        calls += body.calls[place:start]
        values = {n: column[index] for n, (_, column) in args.items()}
        arrays = {
            f"{names[k]}.{key}" if key else names[k]: array
            for k, call in enumerate(region) if call.layer is not None
            for key, array in call.layer.arrays.items()
        }  # fmt: skip
        layer = Layer(_snake(name), name, values, defaults, arrays, "", len(values) - len(defaults))
        calls.append(Call("{layer}({0})", [_entry(region)], [region[-1].outputs[0]], layer, False))
        place = start + length
    return made, [*calls, *body.calls[place:]]


def _entry(region: Sequence[Call]) -> int:
    made = {n for call in region for n in call.outputs}
    return next(n for call in region for n in call.inputs if n not in made)


def _arguments(
    regions: list[list[Call]],
) -> tuple[dict[str, tuple[Any, list[Any]]], dict[tuple[int, str], Code]]:
    """({argument of the class: (default or None, its value in each region)}, {(call, argument of
    its layer): what stands there})."""
    found: dict[str, tuple[Any, list[Any]]] = {}
    renamed: dict[tuple[int, str], Code] = {}
    layers = named_layers(regions[0])
    for k, call in enumerate(regions[0]):
        if call.layer is None:
            continue
        for name in call.layer.args:
            column = [r[k].layer.args[name] for r in regions]  # type: ignore[union-attr]
            texts = [literal(v) for v in column]
            if len(set(texts)) == 1:
                continue
            if name == "padding" and (half := _half(column, k, regions, renamed)) is not None:
                renamed[k, name] = half
                continue
            same = [n for n, (_, c) in found.items() if [literal(v) for v in c] == texts]
            if same:
                renamed[k, name] = Parameter(same[0])
                continue
            new = name if name not in found else f"{layers[k]}_{name}"
            while new in found:
                new += "_"
            default = _default([r[k].layer for r in regions], name, texts)
            found[new], renamed[k, name] = (default, column), Parameter(new)
    ordered = sorted(found.items(), key=lambda item: item[1][0] is not None)
    return dict(ordered), renamed


def _default(layers: Sequence[Any], name: str, texts: list[str]) -> Any:
    """The layers' own default, where they agree and some region has it."""
    own = [layer.defaults.get(name) for layer in layers]
    agreed = own[0] is not None and len({literal(v) for v in own}) == 1
    return own[0] if agreed and literal(own[0]) in texts else None


def _half(column: list[Any], k: int, regions: list[list[Call]], renamed: Any) -> Code | None:
    """Half the kernel's size, where that is what the padding is everywhere."""
    kernel = renamed.get((k, "kernel_size"))
    sizes = [r[k].layer.args.get("kernel_size") for r in regions]  # type: ignore[union-attr]
    fits = all(isinstance(n, int) and p == n // 2 for n, p in zip(sizes, column, strict=True))
    return Code(f"{kernel} // 2") if kernel is not None and fits else None


def _name(calls: Sequence[Call], entry: int, taken: set[str]) -> str:
    """What such a block is called."""
    text = " ".join(c.template for c in calls)
    prefixes = [c.layer.prefix for c in calls if c.layer is not None]
    reads = sum(c.inputs.count(entry) for c in calls)
    words = [WORDS.get(p, p.title().replace("_", "")) for p in prefixes]
    acts = [a.removeprefix("ops.").title().replace("_", "") for a in ACTS if f"{a}(" in text]
    if any(c.template == "{0} + {1}" for c in calls) and reads == 2:
        stem = "Residual"
    elif "mean(" in text and any(c.template == "{0} * {1}" for c in calls) and len(calls) < 9:
        stem = "SqueezeExcite"
    else:
        stem = "".join(words + acts[:1])
        stem = stem if len(words) <= 2 and len(stem) <= 20 else "Block"
    name, letter = stem, 1
    while name in taken:
        name, letter = f"{stem}{LETTERS[letter % 26]}", letter + 1
    return name


WORDS = {"conv": "Conv", "depthwise": "Depthwise", "norm": "Norm", "fc": "Linear", "up": "Up",
         "pool": "Pool"}  # fmt: skip
ACTS = ("ops.relu6", "ops.relu", "ops.swish", "hard_swish", "ops.gelu", "ops.tanh", "ops.sigmoid")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


# -- chains ----------------------------------------------------------------------------------------


def _chained(body: Body) -> list[Call]:
    """Uses of one class that follow each other, three or more, as one call of a list."""
    uses = body.uses()
    calls: list[Call] = []
    k = 0
    while k < len(body.calls):
        chain = [body.calls[k]]
        while k + len(chain) < len(body.calls):
            last, following = chain[-1], body.calls[k + len(chain)]
            if not _linked(last, following, uses):
                break
            chain.append(following)
        if len(chain) >= 3:
            calls.append(_loop(chain))
        else:
            calls += chain
        k += len(chain)
    return calls


def _linked(a: Call, b: Call, uses: dict[int, int]) -> bool:
    same = a.layer is not None and b.layer is not None and a.layer.cls == b.layer.cls
    own = same and a.layer is not None and not a.layer.cls.startswith("nn.")
    return own and b.inputs == a.outputs and uses.get(a.outputs[0]) == 1


def _loop(chain: list[Call]) -> Call:
    layers = [c.layer for c in chain if c.layer is not None]
    arrays = {f"{i}.{key}": a for i, layer in enumerate(layers) for key, a in layer.arrays.items()}
    texts = [layer.construction() for layer in layers]
    layer = Layer(f"{layers[0].prefix}s", LIST, {"items": Code("\n".join(texts))}, {}, arrays)
    return Call(LOOP, chain[0].inputs, chain[-1].outputs, layer, False)


LIST, LOOP = "list", "for"
