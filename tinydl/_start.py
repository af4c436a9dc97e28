"""While the command is being imported: Ctrl-C is one line, a broken installation one sentence.

Importing the package takes a moment before `console.command` can catch anything. Where this process
is the command (`tinydl ...` or `python -m tinydl...`), this first import of the package answers for
it until then; a program that uses tinydl keeps its own handlers.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType, TracebackType


def is_command(argv: list[str], original: list[str]) -> bool:
    """Whether Python was started to run an entry point of tinydl (`-m` stands in argv[0] as long as
    the module is looked for)."""
    if argv[:1] != ["-m"]:
        return bool(argv) and os.path.basename(argv[0]) == "tinydl"
    modules = [b if a == "-m" else a[2:] for a, b in zip(original, [*original[1:], ""], strict=True)
               if a.startswith("-m")]  # fmt: skip
    return bool(modules) and modules[0].split(".")[0] == "tinydl"


def debugging() -> bool:
    """TINYDL_DEBUG=1: every error with its traceback."""
    return os.environ.get("TINYDL_DEBUG", "") not in ("", "0")


def _interrupted(number: int, frame: FrameType | None) -> None:
    os.write(2, b"tinydl: interrupted\n")
    os._exit(130)


def _one_sentence(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    print(f"tinydl: error: {kind.__name__}: {error}", file=sys.stderr)


def answer() -> None:
    """Take Ctrl-C and uncaught errors, unless somebody else has."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupted)
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _one_sentence


def hand_over() -> None:
    """Give Ctrl-C back to Python: a KeyboardInterrupt that `console.command` catches."""
    if signal.getsignal(signal.SIGINT) is _interrupted:
        signal.signal(signal.SIGINT, signal.default_int_handler)


if not debugging() and is_command(sys.argv, sys.orig_argv):
    answer()
