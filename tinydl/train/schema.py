"""What the files of a run may say: one table of keys, types and bounds per kind of file.

`read_json(content, kind, where)` is the one way in: JSON whose every value is of its type and
within its bounds, or one FormatError that names the file and the key. A rule is a function of a
value that returns what is wrong, in words, or None. Another kind of file is another row of
`KINDS`; a program with values of its own adds them there.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from ..errors import FormatError
from ..quoting import quoted, shown

Rule = Callable[[Any], str | None]
MOST_INPUT = 20_000_000  # numbers of one sample


# -- rules -----------------------------------------------------------------------------------------


def integer(low: int, high: int) -> Rule:
    """low <= value <= high, and no bool."""

    def rule(value: Any) -> str | None:
        fits = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        return None if fits else f"must be an integer in [{low}, {high}], not {_shown(value)}"

    return rule


def number(value: Any) -> str | None:
    """A float (NaN and infinities are measurements too) or an integer of 64 bits."""
    fits = isinstance(value, float) or integer(-(2**63), 2**64 - 1)(value) is None
    return None if fits else f"must be a number, not {_shown(value)}"


def boolean(value: Any) -> str | None:
    return None if isinstance(value, bool) else f"must be true or false, not {_shown(value)}"


def text(most: int, pattern: str = "") -> Rule:
    """Printable characters, at most so many, of the pattern."""

    def rule(value: Any) -> str | None:
        if not isinstance(value, str) or len(value) > most or not value.isprintable():
            return f"must be printable text of at most {most} characters, not {_shown(value)}"
        fits = not pattern or re.fullmatch(pattern, value)
        return None if fits else f"must be {pattern}, not {_shown(value)}"

    return rule


def optional(inner: Rule) -> Rule:
    """null, or what the rule says."""
    return lambda value: None if value is None else inner(value)


def listed(inner: Rule, least: int, most: int) -> Rule:
    def rule(value: Any) -> str | None:
        if not isinstance(value, list) or not least <= len(value) <= most:
            return f"must be a list of {least} to {most} entries, not {_shown(value)}"
        return _first((f"[{k}]", inner(v)) for k, v in enumerate(value))

    return rule


def mapped(inner: Rule, most: int = 10_000) -> Rule:
    """An object of any keys, all values as the rule says."""

    def rule(value: Any) -> str | None:
        if not isinstance(value, dict) or len(value) > most:
            return f"must be an object of at most {most} keys, not {_shown(value)}"
        names = text(1_000)
        return _first((f"[{quoted(k)}]", names(k) or inner(v)) for k, v in value.items())

    return rule


def keyed(keys: Mapping[str, Rule], free: tuple[str, ...] = ()) -> Rule:
    """An object of exactly these keys; those in `free` may be missing."""

    def rule(value: Any) -> str | None:
        if not isinstance(value, dict):
            return f"must be an object, not {_shown(value)}"
        for name in keys:
            if name not in value and name not in free:
                return f"lacks {name!r}"
        unknown = [name for name in value if name not in keys]
        if unknown:
            return f"has the unknown key {quoted(unknown[0])}"
        return _first((f" {name}", keys[name](v)) for name, v in value.items())

    return rule


def plain(depth: int = 6) -> Rule:
    """Settings: numbers, texts, true, false, null, lists and objects of them, so deep at most."""

    def rule(value: Any) -> str | None:
        if isinstance(value, (list, dict)):
            if depth == 0:
                return "is nested too deep"
            inner = plain(depth - 1)
            return (listed(inner, 0, 100_000) if isinstance(value, list) else mapped(inner))(value)
        if isinstance(value, str):
            return text(1_000)(value)
        return None if value is None or isinstance(value, bool) else number(value)

    return rule


def shape(value: Any) -> str | None:
    """Sizes of one sample."""
    problem = listed(integer(1, 100_000), 1, 8)(value)
    if problem is None and prod(value) > MOST_INPUT:
        problem = f"must hold at most {MOST_INPUT:,} numbers, not {prod(value):,}"
    return problem


def _first(found: Any) -> str | None:
    """The first problem, with the way to it in front."""
    for place, problem in found:
        if problem is not None:
            return f"{place}{problem}" if problem[0] in " [" else f"{place} {problem}"
    return None


def _shown(value: Any) -> str:
    """A value in a message: of lists and objects only their length."""
    if isinstance(value, (list, dict)):
        return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value)}"
    return quoted(value)


# -- the table -------------------------------------------------------------------------------------

COUNT, WORD = integer(0, 10**9), integer(0, 2**64 - 1)
GENERATOR = keyed({"key": WORD, "offset": integer(0, 2**63)})
BATCHES = keyed(
    {
        "samples": COUNT,
        "batch_size": COUNT,
        "shuffle": boolean,
        "drop_last": boolean,
        "epoch": COUNT,
        "batch": COUNT,
        "rng": optional(GENERATOR),
        "transform_rng": optional(GENERATOR),
    }
)
NAME = text(200)
HISTORY = listed(mapped(number, 1_000), 0, 10**7)
FIGURES = mapped(optional(number), 1_000)  # null: what is no number


#: What config.json says of every run ...
RUN = {
    "format": text(40, "tinydl-run-1"),
    "tinydl": NAME,
    "recipe": NAME,
    "recipe_file": keyed({"name": text(255), "sha256": text(64, "[0-9a-f]{64}")}),
    "seed": WORD,
    "backend": text(20, r"numpy|cpu|opencl(:\d{1,3})?"),
    "dtype": text(20, "float32|float64"),
    "parameters": integer(0, 10**10),
    "dataset": NAME,
    "epochs": integer(1, 10**9),
    "own": mapped(plain(), 20),  # of a recipe on other data; tinydl/own/kept.py looks closer
    "sha256": text(64, "[0-9a-f]{64}"),
}
#: ... of a supervised one, as in the first version ...
SUPERVISED = {
    "model": NAME,
    "architecture": mapped(plain(), 100),
    "split": text(1_000),
    "input_shape": shape,
    "classes": listed(text(200), 0, 10_000),
    "optimizer": NAME,
    "optimizer_settings": mapped(plain(), 100),
    "batch_size": integer(1, 10**8),
}
#: ... and of one by another program, which checks its settings itself.
PROGRAM = {"program": text(40, "[a-z_]+"), "settings": mapped(plain(), 100)}


def run_configuration(value: Any) -> str | None:
    other = isinstance(value, dict) and "program" in value
    free = ("sha256", "recipe_file", "own")
    return keyed(RUN | (PROGRAM if other else SUPERVISED), free)(value)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file: what its JSON may hold and how many bytes it may have."""

    title: str
    rule: Rule
    most: int
    infinite: bool = False  # NaN and Infinity are written as Python writes them


KINDS = {
    "config": Kind(
        "a tinydl run configuration",
        run_configuration,
        most=1 << 20,
    ),
    "checkpoint": Kind(
        "the state of a checkpoint",
        keyed(
            {
                "epoch": COUNT,
                "history": HISTORY,
                "optimizer": mapped(plain()),
                "generator": GENERATOR,
                "generators": mapped(GENERATOR),
                "data": optional(mapped(plain())),  # of `Batches`: also BATCHES
                "callbacks": plain(),
                "config": mapped(plain()),
            },
            free=("callbacks",),
        ),
        most=1 << 28,
        infinite=True,
    ),
    "result": Kind(
        "the result of a run",
        keyed(
            {
                "recipe": NAME,
                "seed": WORD,
                "epochs": COUNT,
                "split": text(1_000),
                "score": NAME,
                "test": FIGURES,
                "baselines": mapped(FIGURES, 100),
                "beaten": mapped(boolean, 100),
                "sha256": text(64, "[0-9a-f]{64}"),
            },
            free=("sha256",),
        ),
        most=1 << 24,
    ),
    "history": Kind("a history (CSV)", HISTORY, most=1 << 28, infinite=True),
}


# -- reading ---------------------------------------------------------------------------------------


def read_json(content: bytes | str, kind: str, where: object) -> dict[str, Any]:
    """The object in a file of this kind; FormatError, naming `where`, for anything else.

    A "sha256" in it must be `digest` of the rest: a file that was changed by chance is noticed, and
    one that was changed by hand says so by leaving it out.
    """
    row = KINDS[kind]
    if len(content) > row.most:
        raise FormatError(f"{where} is not {row.title}: it has more than {row.most:,} bytes")
    try:
        value = json.loads(
            content,
            object_pairs_hook=_unique,
            parse_constant=None if row.infinite else _refused,
        )
    except RecursionError:
        raise FormatError(f"{where} is damaged (nested too deep)") from None
    except ValueError as error:  # also of decoding, and of integers with thousands of digits
        raise FormatError(f"{where} is damaged ({shown(error, 160)})") from None
    if problem := row.rule(value):
        raise FormatError(f"{where} is not {row.title}: it {_spoken(problem)}")
    if value.get("sha256", "") not in ("", digest(value)):
        raise FormatError(
            f"{where} was changed after it was written: its sha256 does not fit (take the key out "
            "if the change is meant)"
        )
    return value


def check(value: Any, rule: Rule, where: object) -> None:
    """FormatError, naming `where`, unless the value is as the rule says."""
    if problem := rule(value):
        raise FormatError(f"{where} {problem}")


def digest(value: Mapping[str, Any]) -> str:
    """The SHA-256 of an object without its own key "sha256"."""
    rest = {name: v for name, v in value.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _spoken(problem: str) -> str:
    return f"says:{problem}" if problem[0] == " " else problem


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in an object")
    return found


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
