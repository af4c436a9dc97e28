"""Trained small models that come with the package: `td.zoo.load("lenet-mnist")`.

An entry is a run folder in `shelf/` as `tinydl train` writes it (config.json, model.safetensors,
result.json), so that every command which takes a run takes its name too, and a card that says where
it comes from. `python -m tinydl.zoo RUN` adds one (adding.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..arguments import text
from .shelf import Card, card, folder, names

if TYPE_CHECKING:
    from ..nn import Module


def load(name: str, backend: str | None = None) -> Module:
    """The trained model `name` of the shelf in evaluation mode, on `backend` or the run's own.

    Raises ConfigError for a name that is not among `zoo.names()`.
    """
    from ..runs.run import OpenRun

    run = OpenRun(folder(text("zoo.load", "name", name)))
    model: Module = run.model(backend).eval()
    return model


__all__ = ["Card", "card", "load", "names"]
