"""What may be asked for where a recipe is trained on other data."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, fields
from typing import Any

from ..errors import ConfigError
from ..quoting import quoted

CROP, STRETCH, PAD = "crop", "stretch", "pad"
FITS = (CROP, STRETCH, PAD)
BALANCED = "balanced"
SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Options:
    """target: the column of a table that is foretold, target_kind: "classes", "numbers" or "": as
    its values say. size: of the input; (): the recipe's. fit: how pictures come to that size.
    test: the share that is tested on, where no folders say it. group: a column whose equal values
    stay on one side; by_prefix: what stands in file names before the first "_" or "-" does so.
    class_weights: "balanced" or "". strict: a problem ends it. follow_links: also links that lead
    out of the folder."""

    target: str = ""
    target_kind: str = ""
    size: tuple[int, ...] = ()
    fit: str = CROP
    test: float = SHARE
    group: str = ""
    by_prefix: bool = False
    class_weights: str = ""
    strict: bool = False
    follow_links: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.test < 1:
            raise ConfigError(f"train: --test is a share between 0 and 1, got {self.test:g}")
        if self.group and self.by_prefix:
            raise ConfigError("train: --group and --group-by-prefix exclude each other")

    def typed(self) -> list[str]:
        """As the command line has them, those that are not the default."""
        given = []
        for option in fields(self):
            value, name = getattr(self, option.name), option.name.replace("_", "-")
            if value == option.default:
                continue
            given.append({"by-prefix": "--group-by-prefix"}.get(name, f"--{name}"))
            if value is not True:
                value = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
                given.append(shlex.quote(value))
        return given

    def only_for(self, kind: str, **asked: Any) -> None:
        """ConfigError for an option that says nothing about data of this kind."""
        for name, value in asked.items():
            if value:
                flag = name.replace("_", "-")
                raise ConfigError(f"train: --{flag} is not for {kind}, got {quoted(value)}")


def sizes_of(text: str) -> tuple[int, ...]:
    """ "32,48" or "200" as numbers; ConfigError for anything else."""
    if not re.fullmatch("[1-9][0-9]{0,3}(,[1-9][0-9]{0,3})?", text):
        raise ConfigError(f"train: --size is H,W (of texts a number of words), got {quoted(text)}")
    return tuple(int(part) for part in text.split(","))
