"""The subcommand `tinydl completion`: scripts for the shells, made by shtab from the parser."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from ..console import Parser
from ..errors import ConfigError, how_to_install

SHELLS = ("bash", "zsh", "fish")
FOLDERS = {"folder", "resume", "data"}
OUT_FOLDERS = {"train", "detect", "bench", "import"}  # where --out is a folder
FILES = {"images", "recipe_file", "out", "json", "file", "code", "labels"}


def add_completion(sub: Parser) -> None:
    """The arguments of `tinydl completion`."""
    sub.add_argument("shell", choices=SHELLS)


def completion_command(args: argparse.Namespace) -> int:
    """Print the script; the names in it are those of this version."""
    try:
        import shtab
    except ImportError:
        how = how_to_install("terminal")
        raise ConfigError(
            f"completion: shtab, which writes the script, is missing: {how}"
        ) from None
    from .main import parser

    top = parser()
    for name, action in _arguments(top):
        _say_what_fits(name, action, shtab)
    print(shtab.complete(top, args.shell))
    return 0


def _arguments(top: Parser) -> Iterator[tuple[str, Any]]:
    """Every argument of every command, with the command's name."""
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, sub in action.choices.items():
                yield from ((name, one) for one in sub._actions)


def _say_what_fits(command: str, action: Any, shtab: Any) -> None:
    """Names that the command knows, or files, or folders. The parser is not used for anything
    else, so choices that are only likely do no harm."""
    if action.choices or action.nargs == 0:
        return
    if names := _names(command, action.dest):
        action.choices = names
    elif action.dest in FOLDERS or (action.dest == "out" and command in OUT_FOLDERS):
        action.complete = shtab.DIRECTORY
    elif action.dest in FILES:
        action.complete = shtab.FILE


def _names(command: str, argument: str) -> list[str]:
    """What an argument may name: recipes, data sets, operations, benchmark groups, backends."""
    from ..bench.cases import GROUPS
    from ..data import CATALOG
    from ..experiment.datasets import DATASETS
    from ..recipes import RECIPES
    from ..testing.cases import CASES

    known = {
        "recipe": list(RECIPES), "words": list(RECIPES), "names": list(CATALOG),
        "dataset": list(DATASETS), "op": sorted(CASES), "groups": list(GROUPS),
        "backend": ["numpy", "cpu", "opencl"],
    }  # fmt: skip
    return known.get(argument, [])
