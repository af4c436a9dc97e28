"""`tinydl` alone: what one can do next, in ten lines."""

from __future__ import annotations

import argparse
from pathlib import Path

from .._version import __version__
from ..quoting import shown
from ..tables import Page, facts, show


def start_command(args: argparse.Namespace) -> int:
    """Commands to begin with, for this folder: its newest run is named where there is one."""
    run = newest_run(Path("runs"))
    known = shown(run, 30) if run else "runs/mlp-digits-001"
    lines = [
        ("tinydl train", "a small network on real digits, in seconds"),
        ("tinydl recipes", "the books' experiments; a WORD searches"),
        ("tinydl train mlp-mnist", "one of them, into a run folder"),
        ("tinydl summary cnn-mnist", "its layers, parameters, memory"),
        (f"tinydl evaluate {known}", "what a run reaches, back from disk"),
        ("tinydl data list", "which data sets are here, how to get them"),
        ("tinydl info", "this machine: kernels, threads, devices"),
        ("tinydl --help", "all commands; COMMAND --help: an example"),
    ]
    title = (
        f"tinydl {__version__}, a deep-learning engine to read and to use. What one can do next:"
    )
    show(Page([title, "", facts(lines)]))
    return 0


def newest_run(folder: Path) -> Path | None:
    """The run folder in `folder` that was written last."""
    try:
        found = [(p.stat().st_mtime, p.parent) for p in folder.glob("*/config.json")]
    except OSError:
        return None
    return max(found)[1] if found else None
