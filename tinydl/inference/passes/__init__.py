"""The passes: each a small function that rewrites a program and says in a sentence what it did.

`ALL` is their order. Folding comes first, since it makes constants that later passes look for; dead
code last, since every other pass leaves some behind.
"""

from __future__ import annotations

from collections.abc import Callable

from ..program import Program
from .clean import fold_constants, remove_dead, share_common
from .epilogue import fuse_epilogues
from .norm import fold_norms

Pass = Callable[[Program], str]

ALL: dict[str, Pass] = {
    "constants": fold_constants,
    "common": share_common,
    "norms": fold_norms,
    "epilogues": fuse_epilogues,
    "dead": remove_dead,
}

__all__ = ["ALL", "fold_constants", "fold_norms", "fuse_epilogues", "remove_dead", "share_common"]
