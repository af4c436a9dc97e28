"""Recipes of one's own, in a file outside the package: `tinydl train path/to/recipe.py`.

The file is Python and runs when it is named on the command line, never because a run folder names
it: the folder keeps its name and SHA-256, and whoever opens the run gives the file again.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..errors import ConfigError, FormatError
from ..experiment.card import Recipe
from ..foreign import read_regular
from ..quoting import quoted, shown
from ..recipes import find

MOST = 1 << 22


@dataclass(frozen=True, slots=True)
class RecipeFile:
    """Where a recipe comes from: the file's name and the SHA-256 of its text."""

    name: str
    sha256: str

    def stored(self) -> dict[str, str]:
        return {"name": self.name, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class Outside(Recipe):
    """A recipe of a file."""

    file: RecipeFile = RecipeFile("", "")


def file_of(recipe: Recipe) -> RecipeFile | None:
    """The file that a recipe comes from, also of one that is bound to other data."""
    file: RecipeFile | None = getattr(recipe, "file", None)
    return file


def is_file(name: str) -> bool:
    """Whether a recipe's name on the command line is that of a file."""
    return name.partition(":")[0].endswith(".py")


def load_recipe(name: str | Path) -> Recipe:
    """The recipe of a Python file; "file.py:NAME" chooses one of several.

    The file is run. A `Recipe` at its top level is a recipe of it, also one that a variant names
    as "name/variant". ConfigError where there is none, or several and none is chosen.
    """
    path, _, wanted = str(name).partition(".py")
    source, wanted = Path(f"{path}.py"), wanted.removeprefix(":")
    content = read_regular(source, MOST, "recipe")
    spec = importlib.util.spec_from_file_location(f"recipe_{source.stem}", source)
    if spec is None or spec.loader is None:
        raise ConfigError(f"recipe: {shown(source)} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses of the file look themselves up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ConfigError(
            f"recipe: {shown(source)} stopped with {type(error).__name__}: {shown(error)}"
        ) from error
    found = {r.name: r for r in vars(module).values() if isinstance(r, Recipe)}
    base, _, variant = wanted.partition("/")
    if (base and base not in found) or (not base and len(found) != 1):
        names = ", ".join(found) or "none"
        raise ConfigError(
            f"recipe: {shown(source)} has the recipes {names}; choose one with {shown(source)}:NAME"
        )
    recipe = found[base] if base else next(iter(found.values()))
    if variant:
        recipe = recipe.variant(variant)
    values = {f.name: getattr(recipe, f.name) for f in fields(Recipe)}
    return Outside(**values, file=RecipeFile(source.name, hashlib.sha256(content).hexdigest()))


def recipe_named(name: str) -> Recipe:
    """The recipe of that name, or of that file."""
    return load_recipe(name) if is_file(name) else find(name)


def recipe_of(config: Mapping[str, Any], given: str | Path | None, path: Path) -> Recipe:
    """The recipe of a run's config.json. FormatError for a run of a file that is not `given`, or
    has changed since."""
    kept = config.get("recipe_file")
    if kept is None:
        if given is not None:
            raise ConfigError(f"run: {path} is a run of tinydl's own recipe; leave --recipe out")
        return find(config["recipe"])
    if given is None:
        raise ConfigError(
            f"run: {path} is a run of the recipe file {quoted(kept['name'])}, which only you can "
            "name: give it with --recipe FILE"
        )
    base, _, variant = config["recipe"].partition("/")
    chosen = f"{str(given).partition('.py')[0]}.py:{base}" + (f"/{variant}" if variant else "")
    recipe = load_recipe(chosen)
    if not isinstance(recipe, Outside) or recipe.file.sha256 != kept["sha256"]:
        raise FormatError(
            f"run: {shown(given)} is not the file that {path} was trained with (another SHA-256)"
        )
    return recipe
