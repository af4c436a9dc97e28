"""What tests that build and install share: commands, and new environments to run them in."""

import os
import subprocess
import venv
from importlib.metadata import distribution, files
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def clean_environment() -> dict[str, str]:
    """The variables of this one without what steers Python or tinydl."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "TINYDL"))}


def run(*command, cwd, **more) -> str:
    """What the command prints; the test fails, with all that it said, if it fails."""
    done = subprocess.run(
        [str(c) for c in command], cwd=cwd, env=clean_environment() | more, capture_output=True,
        text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def times(folder: Path) -> dict[str, int]:
    """When each object was written."""
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in folder.rglob("*.o")}


def environment(folder: Path) -> Path:
    """The interpreter of a new environment that holds pip and tinydl's two dependencies."""
    venv.create(folder, with_pip=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for name in ("numpy", "safetensors"):
        recorded = files(name)
        if recorded is None:
            pytest.skip(f"{name} is here without a list of its files (RECORD): not from a wheel")
        home = Path(str(distribution(name).locate_file("")))
        for top in {file.parts[0] for file in recorded} - {"..", "__pycache__"}:
            (site / top).symlink_to(home / top)
    return folder / "bin" / "python"
