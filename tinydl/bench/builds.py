"""Another environment's tinydl as a peer: the same cells, in the same interleaved rounds.

`tinydl bench --against PYTHON` takes the path of an interpreter, `LABEL=PYTHON` names it. Its own
tinydl computes; the worker, its cells and its protocol are sent from here, so that a build of any
age can be measured that still has the public operations. Beside it runs this build a second time,
`tinydl@self`: what differs there is the scatter of the machine.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError

MARK = "tinydl@"
SELF = "self"
SPEC = "tinydl.bench.peer_tinydl:cpu"
#: Run by the other interpreter: its `tinydl`, with this folder as `tinydl.bench`.
SENT = """
import json, sys, types
folder, spec, threads = sys.argv[1:]
try:
    import tinydl
    bench = types.ModuleType("tinydl.bench")
    bench.__path__ = [folder]
    sys.modules["tinydl.bench"] = bench
    from tinydl.bench.worker import main
except Exception as error:
    print(json.dumps({"missing": "%s: %s" % (type(error).__name__, error)}), flush=True)
    sys.exit(0)
place = getattr(tinydl, "__file__", None) or "a folder without __init__.py"
sys.exit(main([spec, threads], place))
"""


@dataclass(frozen=True)
class Build:
    """A tinydl in an environment: the path of its interpreter."""

    python: str

    def command(self, threads: int) -> list[str]:
        """What starts its worker."""
        folder = str(Path(__file__).resolve().parent)
        return [self.python, "-c", SENT, folder, SPEC, str(threads)]


def is_build(name: str) -> bool:
    """Whether a name of `--against` is a build rather than a library."""
    return name == SELF or os.sep in name or "=" in name


def build_peers(names: Sequence[str]) -> dict[str, Build | str]:
    """Peers of the builds `PYTHON`, `LABEL=PYTHON` and "self", which comes with every other one.

    Raises ConfigError for what is no interpreter, and for two of one label.
    """
    found: dict[str, Build | str] = {}
    for name in names:
        label, _, path = name.rpartition("=")
        if path == SELF and not label:
            continue
        label = label or Path(path).absolute().parent.parent.name
        if label == SELF or MARK + label in found:
            raise ConfigError(f"bench: two builds are called {label!r}; name one, as in new={path}")
        found[MARK + label] = Build(_interpreter(path))
    return found | {MARK + SELF: SPEC} if names else {}


def _interpreter(path: str) -> str:
    if path and Path(path).is_dir():
        raise ConfigError(f"bench: {path} is a folder; name its interpreter, {path}/bin/python")
    if not shutil.which(path):
        raise ConfigError(f"bench: there is no interpreter {path}")
    return str(Path(path).absolute())  # a link stays one: it says which environment
