"""What stands in the attributes of an object, also inside lists, tuples and dictionaries.

One walk for everything that is asked of a module: parameters, names in `state_dict`, modes,
generators in a checkpoint. A container that the walk does not enter must not hide anything either.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Set, ValuesView
from dataclasses import fields, is_dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..errors import ConfigError

Kinds = tuple[type, ...]
#: What holds nothing, so that long lists of numbers or words are passed quickly.
PLAIN = frozenset((int, float, bool, str, bytes, type(None)))
#: What may hide something; of these only lists, tuples and dictionaries have names for it.
CONTAINERS = (list, tuple, Set, deque, Mapping, ValuesView, SimpleNamespace, np.ndarray)


_HOLDS: dict[type, bool] = {}


def may_hold(kind: type) -> bool:
    """Whether objects of this type are looked into: asked once per type, most are none."""
    if kind not in _HOLDS:
        _HOLDS[kind] = kind not in PLAIN and (issubclass(kind, CONTAINERS) or is_dataclass(kind))
    return _HOLDS[kind]


def members(attributes: Mapping[str, Any], kinds: Kinds, owner: str) -> Iterator[tuple[str, Any]]:
    """(name, member) of what is one of `kinds`, in order: "head", "blocks.0.1", "heads.left".

    ConfigError, with `owner` in front, where a member is hidden in a set or another container that
    is not entered, or in a dictionary under a key that is no name.
    """
    for name, value in attributes.items():
        if isinstance(value, kinds):
            yield name, value
        elif may_hold(type(value)):
            yield from _inside(name, value, kinds, owner, ())


def check_hides_nothing(name: str, value: Any, kinds: Kinds, owner: str) -> None:
    """ConfigError where `members` would raise one for the attribute `name`."""
    if may_hold(type(value)) and not isinstance(value, kinds):
        for _ in _inside(name, value, kinds, owner, ()):
            pass


def _inside(
    name: str, value: Any, kinds: Kinds, owner: str, around: tuple[int, ...]
) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list | tuple):
        pairs: Any = enumerate(value)
    elif isinstance(value, dict):
        pairs = value.items()
    else:
        if _hides(value, kinds):
            raise ConfigError(
                f"{owner}: {name} is a {type(value).__name__} with modules, parameters or "
                "generators inside, where they are not found; use a list, a tuple or a dict"
            )
        return
    if id(value) in around:
        return
    seen: set[str] = set()
    for key, item in pairs:
        if type(item) in PLAIN:
            continue
        if isinstance(item, kinds):
            found = iter(((f"{name}.{key}", item),))
        else:
            found = _inside(f"{name}.{key}", item, kinds, owner, (*around, id(value)))
        for path, member in found:
            _check_key(name, key, seen, owner)
            yield path, member
        seen.add(str(key))


def _check_key(name: str, key: Any, seen: set[str], owner: str) -> None:
    """A key becomes a part of names: it must be one, and no other key's."""
    plain = isinstance(key, str | int) and str(key) and "." not in str(key)
    if not plain or str(key) in seen:
        raise ConfigError(
            f"{owner}: {name} holds a module, parameter or generator under the key {key!r}; keys "
            "become names, so they are integers or non-empty texts without a dot, no two alike"
        )


def _hides(value: Any, kinds: Kinds) -> bool:
    """Whether a container that is not entered has something of these kinds in it, at any depth."""
    if isinstance(value, kinds):
        return True
    if not may_hold(type(value)):
        return False
    items: Any = value
    if isinstance(value, Mapping):
        items = value.values()
    elif isinstance(value, np.ndarray):
        items = value.ravel() if value.dtype == object else ()
    elif isinstance(value, SimpleNamespace):
        items = vars(value).values()
    elif is_dataclass(value):
        items = [getattr(value, field.name, None) for field in fields(value)]
    return any(_hides(item, kinds) for item in items if type(item) not in PLAIN)
