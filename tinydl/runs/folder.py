"""The files of a run folder, and who writes into it.

A run folder holds config.json (written first, with a SHA-256 of itself), checkpoint.safetensors
(before the first and after every epoch, everything needed to go on), history.csv; when the training
is done model.safetensors, result.json (its figures beside their baselines, for people and scripts,
with a SHA-256 too: as long as nobody changed it, `tinydl evaluate` takes the baselines of it) and
curves.png (drawn by the command); while a process trains, `.lock`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ..console import json_able
from ..errors import ConfigError, FormatError, MissingFileError
from ..files import FolderLock, is_empty, remove_parts, write_atomically
from ..foreign import read_regular
from ..quoting import quoted
from ..train.schema import KINDS, digest, read_json

CONFIG, MODEL_FILE, HISTORY = "config.json", "model.safetensors", "history.csv"
CHECKPOINT, RESULT = "checkpoint.safetensors", "result.json"
CURVES = "curves.png"
FORMAT = "tinydl-run-1"


def claim(folder: Path | None, recipe_name: str, force: bool = False) -> FolderLock:
    """Make and hold the run folder: exactly `folder`, or the next free runs/<recipe>-<number>.

    force: a run that lies in `folder` is removed. ConfigError if `folder` exists and is not empty
    (runs are not overwritten unasked), or if another process holds it.
    """
    if folder is None:
        return hold(_next_folder(Path("runs"), recipe_name.replace("/", "-")))
    if force and is_run(folder):
        lock = hold(folder)
        for name in (MODEL_FILE, RESULT, CHECKPOINT, HISTORY, CURVES, CONFIG):
            (folder / name).unlink(missing_ok=True)
        return lock
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if is_empty(folder):
            lock = hold(folder)
            if is_empty(folder):  # as another process may have left it in the meantime
                return lock
            lock.release()
    except OSError as error:
        raise ConfigError(f"train: cannot use {folder} as run folder ({error.strerror})") from None
    raise ConfigError(
        f"train: {folder} is not empty and nothing is overwritten; name another folder, or go "
        f"on with `tinydl train --resume {folder}`"
    )


def is_run(folder: Path) -> bool:
    """Whether a run lies there, or what was left of one."""
    return folder.is_dir() and has(folder, CONFIG)


def hold(folder: Path) -> FolderLock:
    """Be the one who writes into the folder; what a killed writer left half is removed."""
    lock = FolderLock(folder)
    remove_parts(folder)
    return lock


def has(folder: Path, name: str) -> bool:
    """Whether the folder has something of this name, be it a link that leads nowhere."""
    return os.path.lexists(folder / name)


def _next_folder(parent: Path, name: str) -> Path:
    try:
        parent.mkdir(parents=True, exist_ok=True)
        taken = [p.name.removeprefix(f"{name}-") for p in parent.glob(f"{name}-*")]
        counted = (int(t) for t in taken if t.isascii() and t.isdigit() and len(t) < 10)
        number = max(counted, default=0) + 1
        while True:
            try:
                (parent / f"{name}-{number:03d}").mkdir()  # fails if another process was quicker
                return parent / f"{name}-{number:03d}"
            except FileExistsError:
                number += 1
    except OSError as error:
        raise ConfigError(f"train: cannot make a folder in {parent} ({error.strerror})") from None


def write_config(folder: Path, config: dict[str, Any]) -> None:
    """config.json, atomically, with its SHA-256 as last key. Raises OSError."""
    write_sealed(folder / CONFIG, config)


def write_sealed(path: Path, value: dict[str, Any]) -> None:
    """An object as JSON, atomically, with its SHA-256 as last key. Raises OSError."""
    plain = json.loads(json.dumps(value))  # tuples as the lists that will be read
    text = json.dumps({**plain, "sha256": digest(plain)}, indent=2)
    write_atomically(path, text.encode() + b"\n")


def write_result(folder: Path, result: dict[str, Any]) -> None:
    """result.json, atomically, with its SHA-256 as last key; what JSON has no number for is null.
    Raises OSError."""
    plain = json_able(result)
    text = json.dumps({**plain, "sha256": digest(plain)}, indent=1, allow_nan=False)
    write_atomically(folder / RESULT, text.encode() + b"\n")


def read_result(folder: Path) -> dict[str, Any] | None:
    """What result.json says, as it was written; None where it is missing or was changed."""
    path = folder / RESULT
    try:
        content = read_regular(path, KINDS["result"].most, f"run: {folder} has no result")
        found = read_json(content, "result", f"run: {path}")
    except (FormatError, MissingFileError):
        return None  # it can be measured again
    return found if "sha256" in found else None


def read_config(folder: Path) -> dict[str, Any]:
    """What config.json says, every value of its type and within its bounds; FormatError."""
    path = folder / CONFIG
    content = read_regular(path, KINDS["config"].most, f"run: {folder} is no run folder")
    return read_json(content, "config", f"run: {path}")


#: What a person may change in config.json without the checkpoint being another run's.
FREE = ("tinydl", "epochs", "backend", "sha256")


def check_same(config: dict[str, Any], saved: dict[str, Any], path: Path) -> None:
    """FormatError unless the checkpoint is one of the run that config.json describes."""
    begun, config = (_without_path(c) for c in (saved["config"], config))
    names = (config.keys() | begun.keys()) - set(FREE)
    if other := sorted(n for n in names if config.get(n) != begun.get(n)):
        raise FormatError(f"run: {path} is of another run than {CONFIG}: {quoted(other)} differ")
    if saved["epoch"] != len(saved["history"]):
        raise FormatError(f"run: {path} is damaged: {saved['epoch']} epochs, another history")


def _without_path(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration without where its own data lie, which may change."""
    own = config.get("own")
    return {**config, "own": {**own, "path": ""}} if isinstance(own, dict) else config
